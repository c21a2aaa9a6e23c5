/* Makes one thing nicer: when a page can't be sent, it stays, with everything typed, and says so.
   Everything works without it. It stores nothing, and sends the form as it is, with the same key each time. */
"use strict";
document.addEventListener("submit", async (event) => {
  const form = event.target, button = event.submitter;
  const action = (button && button.getAttribute("formaction")) || form.action;
  if (!form.dataset.unsent || !window.fetch || form.dataset.native) return;
  event.preventDefault();
  if (form.dataset.sending) return;
  form.dataset.sending = "1";
  const typed = new FormData(form);
  if (button && button.name) typed.append(button.name, button.value);
  let answer = null;
  try {
    answer = await fetch(action, {
      method: "POST", body: new URLSearchParams(typed), headers: { "X-Kysely": "1" }, redirect: "manual",
    });
  } catch { /* no connection */ }
  delete form.dataset.sending;
  const place = answer && answer.headers.get("X-Kysely-Location");
  if (place) {
    location.assign(place);
  } else if (!answer || answer.status > 501) {
    say(form);
  } else {
    /* A page to be read: let the browser send the form itself and show it. The key makes it count once. */
    form.dataset.native = "1";
    if (button) button.click(); else form.submit();
    delete form.dataset.native;
  }
});

function say(form) {
  let box = document.getElementById("unsent");
  if (box) box.remove();
  box = document.createElement("section");
  box.id = "unsent";
  box.className = "alert";
  box.tabIndex = -1;
  box.setAttribute("role", "alert");
  const title = document.createElement("h2"), text = document.createElement("p");
  title.textContent = form.dataset.unsentTitle;
  text.textContent = form.dataset.unsent;
  box.append(title, text);
  form.querySelector(".buttons").before(box);
  box.focus();
}
