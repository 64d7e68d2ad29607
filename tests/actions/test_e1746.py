"""The petition that all this was built for, signed in Khmer through the form as it is served."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.stage import REAL_CAMPAIGNS, good_form

if TYPE_CHECKING:
    from tests.stage import Stage

FILE = REAL_CAMPAIGNS / "e-1746.json"


@pytest.mark.skipif(not FILE.exists(), reason=f"{FILE} is not here")
def test_e1746_is_signed_in_khmer_through_the_served_form(stage: Stage) -> None:
    document = json.loads(FILE.read_bytes())
    slug = stage.campaign(document)
    served = stage.get(f"/km/campaigns/{slug}").text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', served))
    assert hidden["locale"] == "km"
    typed = {**good_form(), **hidden, "phone": "(៦០៤) ៥៥៥-០១២៣", "postal_code": "v៣b ១a១"}
    signed = stage.post(f"/km/campaigns/{slug}/sign", typed)
    assert signed.status_code == 303
    (letter,) = stage.letters_to("sokha@example.org")
    assert letter.mail["Content-Language"] == "km"
    assert document["texts"]["km"]["title"] in letter.text
    assert stage.post(f"/km/confirm/{letter.token('confirm')}").status_code == 303
    assert stage.count(slug) == 1
    for locale, number in {"km": "១", "en": "1", "fr": "1"}.items():
        assert f'<p class="num">{number}</p>' in stage.get(f"/{locale}/campaigns/{slug}").text
    own = stage.get(f"/km/signature/{letter.token('signature')}").text
    assert "V3B 1A1" in own
    assert "+16045550123" in own
