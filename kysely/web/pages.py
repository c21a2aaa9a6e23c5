"""The interview's pages, drawn: every sentence of them is settled here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from flask import Response
from werkzeug.datastructures import MultiDict

from kysely.instrument import OWN_FIELDS, Screen
from kysely.questions._base import Question
from kysely.questions._base import wording as in_language
from kysely.web import screens, statements
from kysely.web.contexts import (
    Alert,
    Asked,
    Button,
    CodePage,
    ConflictPage,
    Difference,
    Fact,
    Form,
    Frame,
    Given,
    GivenPage,
    IntroductionPage,
    Link,
    Progress,
    QuestionPage,
    ReviewPage,
    SettledPage,
    ThanksPage,
    error_links,
    given,
)
from kysely.web.frames import Frames, language_links
from kysely.web.screens import Errors, Received, Standing
from kysely.web.security import COOKIE_DAYS
from kysely.web.visits import CHANGE, FEEDBACK, HANDLING, LATER, RESUME, REVIEW, THANKS, Post, Visit
from kysely.web.wording import Wording, wordings


@dataclass(frozen=True)
class Pages:
    """Draws the pages of the interview; *giving_feedback* are the studies with something to read after submission."""

    frames: Frames
    giving_feedback: Collection[str] = ()

    # ---- before and after the questions

    def introduction(
        self,
        visit: Visit,
        ticket: str,
        *,
        onward: str = "",
        answered: bool = False,
        alert: Alert | None = None,
        shut: str = "",
    ) -> Response:
        """Return the introduction. *onward* is where a response under way goes on, *answered* that one was sent.

        Without a *ticket* none can be begun here; *shut* says why.
        """
        say = visit.wording
        begun = bool(onward)
        button = Button(say["start_anew" if begun or answered else "start"], look="second" if begun else "")
        state = say["under_way"] if begun else say["already_answered"] if answered else shut
        links = visit.study.wave.by_invitation and not begun and not answered
        personal = Link(say["by_invitation_code"], f"/{visit.language}/r/") if links else None
        page = IntroductionPage(
            frame=self._frame(visit, say["error"] if alert else "", links=lambda other: visit.at(language=other)),
            heading=visit.title,
            facts=introduction_facts(visit),
            more=Link(say["how_handled_more"], visit.at(HANDLING)),
            form=Form(visit.at(), ticket, (button,)) if ticket else None,
            alert=alert,
            state=state,
            onward=Link(say["continue"], onward) if begun else None,
            personal=personal,
            code=Link(say["with_code"], visit.at(RESUME))
            if visit.study.instrument.privacy_mode != "anonymous"
            else None,
        )
        return self.frames.draw("introduction.html", page, 403 if alert else 200)

    def handling(self, visit: Visit) -> Response:
        """Return how the answers are handled."""
        title = visit.wording["privacy_title"]
        frame = self._frame(visit, title, links=lambda other: visit.at(HANDLING, language=other))
        return self.frames.draw("statement.html", statements.handling(visit.study, visit.wording, frame))

    def review(
        self,
        visit: Visit,
        standing: Standing,
        ticket: str,
        *,
        alert: Alert | None = None,
        status: int = 200,
        unsaved: Sequence[Screen] = (),
        changing: bool = False,
        changeable: bool = False,
    ) -> Response:
        """Return everything answered, page by page, to be checked and sent.

        On the screens *unsaved* something is typed that isn't among it. *changing* is what was sent once already,
        *changeable* what can be changed after it is sent.
        """
        say = visit.wording
        title = say["changing_title" if changing else "review_title"]
        text = "changing_text" if changing else "review_text_open" if changeable else "review_text"
        note = "settled_review" if standing.settled else ""
        if note and text == "review_text_open":
            text, note = "review_text_some", ""
        button = say["submit_again" if changing else "submit"]
        path = standing.route.screens
        page = ReviewPage(
            frame=self._frame(
                visit,
                f"{say['error']}: {title}" if alert else title,
                links=lambda other: visit.at(REVIEW, language=other),
            ),
            heading=title,
            text=say[text],
            pages=tuple(
                found for page in dict.fromkeys(s.page for s in path) if (found := _given(visit, standing, page)).given
            ),
            form=Form(visit.at(REVIEW), ticket, (Button(button),)),
            unsaved=tuple(_unsaved(visit, standing, screen) for screen in unsaved),
            back=Link(say["back"], visit.screen(path[-1]) if path else visit.at()),
            alert=alert,
            note=say[note] if note else "",
        )
        return self.frames.draw("review.html", page, status)

    def thanks(self, visit: Visit, changeable: str) -> Response:
        """Return the page that says the response is complete and durable. It has no form: here an interview ends.

        *changeable* is the sentence that tells how far it can be changed, "" for not at all.
        """
        say = visit.wording
        page = ThanksPage(
            frame=self._frame(visit, say["thanks_title"], links=lambda other: visit.at(THANKS, language=other)),
            heading=say["thanks_title"],
            paragraphs=(say["thanks_text"], *([say[changeable]] if changeable else []), say["thanks_next"]),
            onward=Link(say["to_introduction"], visit.at()),
            links=(
                *((Link(say["feedback_open"], visit.at(FEEDBACK)),) if visit.study.id in self.giving_feedback else ()),
                *((Link(say["change_sent"], visit.at(CHANGE)),) if changeable else ()),
                Link(say["code_link"], visit.at(LATER)),
            ),
        )
        return self.frames.draw("thanks.html", page)

    def changes(self, visit: Visit, ticket: str, changeable: str, reason: str, status: int) -> Response:
        """Return the page whose button opens what was sent, as far as the sentence *changeable* says.

        Without a *ticket* it says why not, by its *reason*.
        """
        say = visit.wording
        title, button = say["changing_title"], Button(say["change_sent"])
        page = CodePage(
            frame=self._frame(
                visit,
                f"{say['error']}: {title}" if reason else title,
                links=lambda other: visit.at(CHANGE, language=other),
            ),
            heading=title,
            paragraphs=(say[changeable], say["changing_how"]) if ticket else (),
            form=Form(visit.at(CHANGE), ticket, (button,)) if ticket else None,
            alert=Alert(say["not_opened"], (say.say(reason, button=button.label),)) if reason else None,
            links=(Link(say["to_thanks"], visit.at(THANKS)),),
        )
        return self.frames.draw("code.html", page, status)

    # ---- questions

    def questions(
        self,
        visit: Visit,
        standing: Standing,
        screen: Screen,
        ticket: str,
        *,
        edit: bool = False,
        typed: MultiDict[str, str] | None = None,
        shown: Sequence[Question] | None = None,
        errors: Errors | None = None,
        alert: Callable[[tuple[Link, ...]], Alert] | None = None,
        skip: bool = False,
        onward: Link | None = None,
        carried: tuple[tuple[str, str], ...] = (),
        status: int = 200,
        note: str = "",
        elsewhere: Link | None = None,
    ) -> Response:
        """Return *screen* with its questions; without a *ticket* it can be read and copied, not sent.

        *alert* is given the links to the fields that have errors. *note* says what is special about what is shown,
        *elsewhere* leads to what another browser has typed here.
        """
        say, page = visit.wording, standing.page(screen.page)
        coded = standing.instrument.privacy_mode != "anonymous"
        asked = screens.draw(standing, screen, say, typed=typed, shown=shown, errors=errors)
        number, count = screens.progress(standing, screen)
        words = say.say("page_of", number=number, count=count)
        heading = in_language(page.title, visit.language)
        buttons = _buttons(say, asked, edit=edit, skip=skip)
        context = QuestionPage(
            frame=self._frame(visit, f"{say['error']}: {heading}" if alert else heading, words),
            heading=heading,
            text=in_language(page.text, visit.language),
            asked=asked,
            form=Form(visit.screen(screen), ticket, buttons, carried) if ticket else None,
            progress=Progress(words, number, count),
            alert=alert(error_links(asked)) if alert else None,
            onward=onward,
            languages=_language_buttons(visit, screen) if ticket else (),
            note=note,
            elsewhere=elsewhere,
            later=Button(say["later"], "go", "later", look="quiet") if ticket and coded else None,
            script=self.frames.assets.url("kysely.js") if ticket else "",
            unsent=say.say("unsent", button=say[_onward(edit)]) if ticket else "",
            settles=say["settles_next"] if ticket and standing.precedes_settling(screen) else "",
        )
        return self.frames.draw("question.html", context, status)

    def errors(
        self,
        visit: Visit,
        standing: Standing,
        screen: Screen,
        typed: MultiDict[str, str],
        ticket: str,
        received: Received,
        *,
        edit: bool,
        before: str = "",
    ) -> Response:
        """Return the page with what is wrong or unanswered.

        *before* is where one gets without saving it, for those who are on their way back.
        """
        say = visit.wording
        count = sum(len(errors) for errors in received.errors.values())

        def alert(links: tuple[Link, ...]) -> Alert:
            if received.merely_unanswered:
                return Alert(say.count("unanswered_title", count), (say["unanswered_text"],), links)
            back = (Link(say["back_unsaved"], before),) if before else ()
            return Alert(say.count("errors", count), (say["errors_text"],), links + back)

        return self.questions(
            visit,
            standing,
            screen,
            ticket,
            edit=edit,
            typed=typed,
            shown=received.questions,
            errors=received.errors,
            alert=alert,
            skip=received.unanswered,
            status=422,
        )

    def unsaved(
        self,
        visit: Visit,
        standing: Standing,
        screen: Screen,
        post: Post,
        ticket: str,
        reason: str,
        *,
        shown: Sequence[Question] | None = None,
        carried: tuple[tuple[str, str], ...] = (),
        before: str = "",
        status: int,
    ) -> Response:
        """Return the page as it was sent, with the sentence *reason*: one more press saves it.

        *before* is where one gets without saving it.
        """
        say = visit.wording
        back = (Link(say["back_unsaved"], before),) if before else ()
        sentence = say.say(reason, button=say[_onward(post.edit)])
        return self.questions(
            visit,
            standing,
            screen,
            ticket,
            edit=post.edit,
            typed=post.typed,
            shown=shown,
            alert=lambda links: Alert(say["not_saved"], (sentence,), back),
            carried=carried,
            status=status,
        )

    def settled(self, visit: Visit, standing: Standing, screen: Screen, *, elsewhere: Link | None = None) -> Response:
        """Return what was answered on a page that can't be changed any more."""
        say, given = visit.wording, _given(visit, standing, screen.page)
        page = SettledPage(
            frame=self._frame(visit, given.heading, links=lambda other: visit.screen(screen, language=other)),
            note=say["settled_text"],
            given=given,
            onward=Link(say["go_on"], visit.screen(standing.position)),
            elsewhere=elsewhere,
        )
        return self.frames.draw("settled.html", page)

    def lost(
        self,
        visit: Visit,
        standing: Standing,
        screen: Screen,
        typed: MultiDict[str, str],
        reason: str,
        onward: str,
        heading: str = "",
    ) -> Response:
        """Return what was typed on a page that can't be saved any more, to read and copy."""
        say = visit.wording
        return self.questions(
            visit,
            standing,
            screen,
            "",
            typed=typed,
            shown=screens.spoken_of(standing.instrument, screen, typed),
            alert=lambda links: Alert(say[heading or "not_saved"], (say[reason],)),
            onward=Link(say["go_on"], onward),
            status=409,
        )

    def conflict(
        self,
        visit: Visit,
        standing: Standing,
        screen: Screen,
        typed: MultiDict[str, str],
        ticket: str,
        revision: int,
        *,
        edit: bool,
    ) -> Response | None:
        """Return both versions of a page that was saved elsewhere in the meantime, None if they say the same.

        *standing* is what is stored at *revision*.
        """
        say = visit.wording
        title = say["conflict_title"]
        differences = tuple(_differences(visit, standing, screen, typed))
        if not differences:
            return None
        answers = tuple((name, text) for name, text in typed.items(multi=True) if name not in OWN_FIELDS)
        buttons = (Button(say["use_mine"]), Button(say["keep_saved"], "go", "keep", look="second"))
        page = ConflictPage(
            frame=self._frame(visit, f"{say['error']}: {title}"),
            heading=in_language(standing.page(screen.page).title, visit.language),
            alert=Alert(title, (say["conflict_text"],)),
            differences=differences,
            # What was left blank has been asked for once already.
            form=Form(visit.screen(screen), ticket, buttons, (*answers, ("skip", "1"))),
            edit=Link(say["edit_mine"], f"{visit.screen(screen)}?typed={revision}{'&edit' if edit else ''}"),
        )
        return self.frames.draw("conflict.html", page, 409)

    def _frame(self, visit: Visit, *titles: str, links: Callable[[str], str] | None = None) -> Frame:
        """Return the frame of a page of the study; *links* makes its address in another language."""
        return self.frames.frame(
            visit.wording,
            *titles,
            brand=visit.title,
            home=visit.at(),
            languages=language_links(visit.language, links, visit.study.languages) if links else (),
            footer=(Link(visit.wording["privacy_short"], visit.at(HANDLING)),),
        )


def introduction_facts(visit: Visit) -> tuple[Fact, ...]:
    """Return who asks, why, how long it takes and how answers are handled."""
    say, instrument = visit.wording, visit.study.instrument
    facts = []
    if instrument.purpose:
        facts.append(Fact(say["why"], (in_language(instrument.purpose, visit.language),)))
    facts.append(Fact(say["who"], statements.who(visit.study.wave, say)))
    if instrument.minutes:
        coded = (say["how_long_code"],) if instrument.privacy_mode != "anonymous" else ()
        facts.append(Fact(say["how_long"], (say.count("how_long_text", instrument.minutes, days=COOKIE_DAYS), *coded)))
    facts.append(Fact(say["how_handled"], (statements.promise(instrument, say), say["voluntary"])))
    return tuple(facts)


def _given(visit: Visit, standing: Standing, id: str) -> GivenPage:
    title = in_language(standing.page(id).title, visit.language)
    turns = [screen for screen in standing.route.screens if screen.page == id]
    controls = [
        screens.control(standing, screen, question, visit.language)
        for screen in turns
        for question in standing.questions(screen)
        if question.names  # a text to read has no answer to check
    ]
    return GivenPage(
        heading=title,
        given=tuple(Given(control.legend, given(control)) for control in controls),
        change=None
        if standing.settled.issuperset(turns)
        else Link(
            visit.wording["change"],
            f"{visit.screen(turns[0])}?edit",
            name=visit.wording.say("change_page", page=title),
        ),
    )


def _unsaved(visit: Visit, standing: Standing, screen: Screen) -> Link:
    title = in_language(standing.page(screen.page).title, visit.language)
    return Link(visit.wording.say("unsaved_page", page=title), f"{visit.screen(screen)}?edit")


def _differences(visit: Visit, standing: Standing, screen: Screen, typed: MultiDict[str, str]) -> list[Difference]:
    differences = []
    for question in standing.questions(screen):
        saved = screens.control(standing, screen, question, visit.language)
        mine = screens.control(standing, screen, question, visit.language, typed)
        if given(saved) != given(mine):
            differences.append(Difference(saved.legend, given(saved), given(mine)))
    return differences


def _onward(edit: bool) -> str:
    return "save_and_return" if edit else "next"


def _buttons(say: Wording, asked: Sequence[Asked], *, edit: bool, skip: bool) -> tuple[Button, ...]:
    # The first is what the Enter key presses, so it is the one that never leaves anything out.
    buttons = [Button(say[_onward(edit)])]
    buttons += [
        Button(say.say(offer.code, **offer.params), offer.name, offer.value, look="second")
        for each in asked
        for offer in each.control.offers
    ]
    if skip:
        buttons.append(Button(say["skip"], "skip", "1", look="second"))
    return (*buttons, Button(say["back"], "go", "back", look="back"))


def _language_buttons(visit: Visit, screen: Screen) -> tuple[Button, ...]:
    return tuple(
        Button(
            wordings()[other]["language_name"],
            "language",
            other,
            action=visit.screen(screen, language=other),
            language=other,
        )
        for other in visit.study.languages
        if other != visit.language
    )
