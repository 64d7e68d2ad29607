from __future__ import annotations
import shutil, itertools
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright
from tests.browser.conftest import _serve, FLAGS
from tests.stage import Stage, small_campaign
from tests.editions import correct, write_part
from tests.web.people import Person
from tests.web.test_asking import ask
from app.jobs.fan_out import fan_out
from app.web.sessions import session_cookie

def test_shots(sqlite_template, tmp_path):
    shutil.copy(sqlite_template, tmp_path / "hatthalekha.db")
    url = f"sqlite:///{tmp_path}/hatthalekha.db"
    stage = Stage(url, tmp_path)
    slug = stage.campaign(small_campaign("edited"))
    owner = stage.organiser(); stage.join(slug, owner)
    p = Person(stage, slug, "a@example.org"); p.sign(); p.confirm()
    pend = Person(stage, slug, "p@example.org"); pend.sign()
    correct(stage, slug, "many good books in Khmer", is_substantive=True)
    write_part(stage, slug, "request", "fr", "beaucoup de livres")
    write_part(stage, slug, "title", "km", "សៀវភៅខ្មែរគ្រប់សាលារៀន")
    while stage.run(fan_out(stage.background)): pass
    renew = p.letter().token("renew")
    conf = pend.letter().token("confirm")
    own = p.letters()[0].token("signature")
    ask(stage, slug); ask(stage, slug, question="First line\n\nSecond line that is rather long, to see how it wraps on a telephone.")
    cookie = owner.browser.cookies[session_cookie(stage.settings)]
    stage.close()
    for server in _serve(url, tmp_path):
        with sync_playwright() as pw:
            b = pw.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            c = b.new_context(); page = c.new_page()
            c.add_cookies([{"name": session_cookie(server.settings), "value": cookie, "url": server.url}])
            axe = Axe()
            for name, path in {"campaign": f"campaigns/{slug}", "editions": f"campaigns/{slug}/editions", "one": f"campaigns/{slug}/editions/1", "renew": f"renew/{renew}", "confirm": f"confirm/{conf}", "own": f"signature/{own}", "ask": f"campaigns/{slug}/ask", "ws_editions": f"workspace/campaigns/{slug}/editions", "ws_questions": f"workspace/campaigns/{slug}/questions"}.items():
                for w in (360, 1280):
                    page.set_viewport_size({"width": w, "height": 800})
                    r = page.goto(f"{server.url}/en/{path}")
                    found = axe.run(page)
                    over = page.evaluate("document.documentElement.scrollWidth > innerWidth")
                    print("SHOT", name, w, r.status, found.violations_count, over)
                    if found.violations_count: print(found.generate_report())
                    page.screenshot(path=f"/tmp/shots/{name}-{w}.png", full_page=True)
                    if name in ("ws_editions","ask","renew") and w == 360:
                        page.locator("form button.go").last.click(); page.wait_for_load_state()
                        found = axe.run(page); print("SHOT fault", name, found.violations_count, page.evaluate("document.documentElement.scrollWidth > innerWidth"))
                        if found.violations_count: print(found.generate_report())
                        page.screenshot(path=f"/tmp/shots/{name}-fault.png", full_page=True)
            b.close()
