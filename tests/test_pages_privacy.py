"""A person is erased from their page: counted first, confirmed by their id, with a reason."""

from streamlit.testing.v1 import AppTest

import ui
from creditrisk import applicants
from tests.test_pages import someone, visit, written

__all__ = ["written"]


def opened(name: str) -> AppTest:
    return visit("applicants", applicant=name).toggle(key=f"erase-{name}").set_value(True).run()


def test_a_person_is_erased_once_their_id_was_typed(written: None) -> None:
    name = someone()
    page = opened(name)
    assert "Gone would be" in " ".join(each.value for each in page.markdown)
    page.text_input(key="erase-typed").input("another")
    page.text_input(key="erase-reason").input("asked for it")
    page.button(key="erase-now").click().run()
    assert "not the id" in page.error[0].value
    assert applicants.person(ui.store(), name)["applicant_id"] == name
    page.text_input(key="erase-typed").input(name)
    page.button(key="erase-now").click().run()
    (pseudonym,) = ui.store().rows("select pseudonym from erasure")[0]
    assert not visit("applicants", applicant=pseudonym).exception
    assert "asked for it" in visit("applicants", applicant=pseudonym).info[0].value


def test_nobody_is_erased_without_a_reason(written: None) -> None:
    name = someone()
    page = opened(name)
    page.text_input(key="erase-typed").input(name)
    page.button(key="erase-now").click().run()
    assert "needs a reason" in page.error[0].value
    assert ui.store().value("select count(*) from erasure") == 0
