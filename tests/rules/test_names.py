"""Names of real people never look like keys pressed at random; keys pressed at random mostly do."""

from __future__ import annotations

import unicodedata
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.names import looks_random
from app.rules.normalise import clean_name


def _listed(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split("|" if "|" in names else None) if name.strip())


KHMER_FAMILIES: Final = _listed(
    """
    សុខ ចាន់ ហេង លី គឹម អ៊ុក ស៊ិន ទេព នួន ប្រាក់ មាស ព្រំ ឈឹម ឡុង ជា សេង ឃុន ឡាយ តាំង ហ៊ុន ញឹក ប៉ែន ផាន់
    កែវ យឹម រស់ វ៉ាន់ អ៊ុំ ស្រី ខៀវ ឌី ឆាយ ធី ភួង ម៉ៅ អ៊ិន ចេង ស៊ឹម ថោង នង់ ប៉ុក ស្វាយ កុយ គង់ ង៉ែត ឈន ឈុន
    ណុប ទូច នុត ប៊ុន យិន រ័ត្ន លឹម វង្ស ស៊ូ ហាក់ ឡេង អ៊ាង អាន ឱក ឯក
    """
)
KHMER_GIVEN: Final = _listed(
    """
    សុភា សុខា ចាន់ធូ ដារ៉ា បុប្ផា រតនា វិចិត្រ សុផល ស្រីមុំ ពិសិដ្ឋ មករា ម៉ាលីស ស្រីពេជ្រ ច័ន្ទបូរី
    ច័ន្ទមុនី សុវណ្ណ សុវណ្ណារ៉ា ភារុណ ណារិទ្ធ វាសនា ពិសី រស្មី មុនីរ័ត្ន ធារ៉ា សុធារី ចន្ថា ភិរម្យ វណ្ណៈ
    វុទ្ធី សម្បត្តិ សំណាង សុភ័ណ សុភ័ក្ត្រ សុភក្ត្រា ទេវី ធីតា លក្ខិណា លក្ស្មី លីដា កល្យាណ កញ្ញា កុសល ខេមរា
    គន្ធា ឃុនធា ចរិយា ចិន្ដា ឆវី ជីវ័ន ជ័យវរ្ម័ន ដេត ដេវីត តារា ថាវី ទិត្យ ធម្មា នារី និមល នីតា បញ្ញា
    បណ្ឌិត បុត្រី ប្រុស ផល្លា ពន្លឺ ភក្តី ភូមិន្ទ មនោរម្យ មាលា មិថុនា យុទ្ធនា រំដួល រិទ្ធី រ៉ាវី លីណា វិបុល
    វិសាល សក្តិ សច្ចា សត្យា សន្តិភាព សុជាតា សុទ្ធិដា សុពលី សូរិយា សោភ័ណ សោភា សោម៉ាលី ស្រីល័ក្ខ ស្រីនិច្ច
    ហៃឡេង ឡេងហ៊ួរ អម្រឹត អង្គារ អនុរ័ត្ន អរុណ ឥន្ទ្រា ឧត្តម ឧត្តរៈ ឫទ្ធី ឱភាស ឯករាជ្យ កក្កដា កំសត់ គិរី
    ចំរើន សិទ្ធិ ស្ទឹង ញាណ ព្រះពៅ ស៊ីណា ស៊ីហា ហ៊ាង ម៉េងហុង ប៊ុនធឿន ប៊ុនថន ផ្សេងៗ ទន្លេ ប្អូនស្រី សៀវម៉ី
    គីមស៊ុន ពុទ្ធិ វឌ្ឍនា សុភមង្គល សុវត្ថិ រដ្ឋា ប៉ូលីណា ដានីញ៉ែល
    """
)
ROMANISED_KHMER: Final = _listed(
    """
    Sok Chan Heng Kim Ouk Sin Tep Nuon Prak Meas Prum Chhim Long Chea Seng Khun Lay Tang Nhek Pen Phan Keo
    Yim Ros Vann Sreymom Pheakdey Phkay Chhngor Sreypich Vichheka Monyreach Rattanak Sophorn Thavy Bopha
    Channary Dararith Phalla Kosal Kunthea Ngeth Nget Sovann Sovannara Chanthy Somphors Sotheary Vuthy
    Khieu Mech Oeur Ung Ing Hy Ly Ny Ty
    """
)
FRENCH: Final = _listed(
    """
    Marie-Ève Tremblay|Jean-François Gagnon|Hélène Côté|Élisabeth L’Écuyer|Benoît Lefèvre|Anaïs Bouchard|
    Chloé Duchesne|Jérôme Saint-Pierre|Zoé Poirier|Gwenaëlle Le Goff|Guy Desrochers|Françoise Schmitt|
    Loïc Lachapelle|Noëlle D’Amours|Mathieu Hébert|Geneviève Brisebois|Yves Archambault|Solène Kerbrat|
    Raphaël Desjardins|Maëlys Schwartz|
    """
)
VIETNAMESE: Final = _listed(
    """
    Nguyễn Thị Minh Khai|Trần Văn Đức|Lê Thị Phương Thảo|Phạm Ngọc Thạch|Hoàng Xuân Vinh|Huỳnh Thị Kim Ngân|
    Đặng Thùy Trâm|Bùi Thị Xuân|Đỗ Quang Nghĩa|Hồ Thị Kỷ|Ngô Bảo Châu|Dương Thị Nghệch|Lý Thường Kiệt|
    Võ Thị Sáu|Phan Thanh Nghị|Nguyen Thi Nghia|Truong Hoang Phuoc|Quach Nghiem|Trinh Cong Khanh|
    Thach Ngoc Thuy|
    """
)
CHINESE: Final = _listed(
    """
    陳大文|王小明|李嘉誠|歐陽修|张伟|林志玲|黃曉明|Chan Tai Man|Zhang Ziyi|Xu Zhiqiang|Hsueh Ching-kuo|
    Zhuang Zhongzheng|
    Ng Chi Ming|Kwok Sze-ching|Tsz Hin Cheung|Lyu Shuangshuang|Qian Xuesen|Tchen Ly|Hwang Chih-Yuan|
    Au Yeung Wing Sze|
    """
)
ENGLISH: Final = _listed(
    """
    Anne Doherty|Siobhán O’Neil|Christopher Knightsbridge|Ruth Wordsworth|Myrtle Lynch|Bryn Rhys|
    J.R. Sok, Jr.|Angus McDonald|Fiona MacKenzie|LaToya DeSouza|Mkrtich Mkrtchyan|
    Krzysztof Brzęczyszczykiewicz|Otto Hirschsprung|Schwartzmann Heinz|Dwight Schrute|Lloyd Sykes|
    Cynthia Phillips|Wyn Llwyd|Szczepan Wójcik|Dr. Ng Hughes|Sydney Hartshorn|Archie Catchpole|
    Philippa Borthwick|Elspeth Strzelecki|Vlk Hrdlička|
    """
)
KHMER: Final = tuple(f"{family} {given}" for family, given in zip(KHMER_FAMILIES * 3, KHMER_GIVEN, strict=False))
NAMES: Final = (*KHMER, *ROMANISED_KHMER, *FRENCH, *VIETNAMESE, *CHINESE, *ENGLISH)
khmer_names = st.lists(st.sampled_from([*KHMER_FAMILIES, *KHMER_GIVEN]), min_size=1, max_size=4).filter(
    lambda parts: all(parts.count(part) < 3 for part in parts)  # what is said over and over is found, rightly
)
joins = st.sampled_from(["", " ", "\u200b", " \u200b", "\u200c"])


def test_the_list_is_of_many_people_most_of_them_khmer() -> None:
    in_khmer_letters = [name for name in NAMES if name in KHMER]
    assert len(set(NAMES)) > 200
    assert len(in_khmer_letters) + len(ROMANISED_KHMER) > len(NAMES) / 2


def test_looks_random_of_names_of_people_is_false() -> None:
    for name in NAMES:
        apart = unicodedata.normalize("NFD", name)
        for typed in (name, apart, name.upper(), name.lower()):
            assert not looks_random(clean_name(typed)), typed


@given(khmer_names, joins)
def test_looks_random_of_khmer_names_however_they_are_joined_is_false(parts: list[str], join: str) -> None:
    assert not looks_random(clean_name(join.join(parts))[:100])


@given(st.sampled_from([*ROMANISED_KHMER, *FRENCH, *VIETNAMESE, *CHINESE, *ENGLISH]), st.sampled_from(NAMES))
def test_looks_random_of_two_names_side_by_side_is_false(one: str, other: str) -> None:
    assert not looks_random(f"{one} {other}")


@pytest.mark.parametrize(
    "typed",
    [
        # As typed by people who have swapped two keys, or have none for what they mean.
        *("ហេីយ", "ស៊ុេីម", "អុើ", "សុខ\u200bសុភា", "ពៅ\u200bៗ", "ព្រះ\u200b", "កោាះ"),
        *("X", "Ng", "U Nu", "Sok", "김철수", "محمد علي", "සුනිල්", "சுந்தர்", "Ἀλέξανδρος", "Мкртчян"),
    ],
)
def test_looks_random_of_unusual_spellings_and_other_scripts_is_false(typed: str) -> None:
    assert not looks_random(clean_name(typed))


@pytest.mark.parametrize(
    "typed",
    [
        *("asdfgh", "Qwerty Uiop", "zxcvb", "lkjhg fdsa", "azertyuiop", "jfhgkd", "Xkqzvw Sok", "sdkfjhskdjfh"),
        *("aaaaaa", "Sok Daaaaara", "asdasdasd", "jajajaja", "HzQkLpRtUv", "gTqPzLmXw", "Bxzvkq Ttfg", "陳陳陳陳陳"),
        # Khmer keys at random: a sign on nothing, a subscript of nothing, one below the other, vowels in a heap.
        *("ាសុខ", "ក្្រ", "សុខ្", "ក្ុល", "កាេិីុ", "ក្ខ្គ្ឃ្ងា", "្កស", "កកកកក"),
    ],
)
def test_looks_random_of_keys_pressed_at_random_is_true(typed: str) -> None:
    assert looks_random(typed)


@given(st.text(st.characters(), max_size=60))
def test_looks_random_never_fails(text: str) -> None:
    assert looks_random(text) in {True, False}
