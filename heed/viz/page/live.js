// Asks for what is new where the page came from, and puts it in its place without moving what
// somebody reads.
"use strict";

const pause = 2000;  // milliseconds between two questions
const note = document.getElementById("live");

// The parts of the page that are no longer the same; one that somebody is in stays as it is.
function exchange(fresh) {
  const old = document.querySelector("main");
  const parts = [...fresh.children];
  parts.forEach((part, index) => {
    const known = old.children[index];
    if (!known) {
      old.append(part);
    } else if (known.outerHTML !== part.outerHTML && !known.contains(document.activeElement)) {
      known.replaceWith(part);
    }
  });
  while (old.children.length > parts.length) old.lastElementChild.remove();
  document.title = old.querySelector("h1").textContent;
}

async function update() {
  const start = performance.now();
  try {
    const answer = await fetch(location.href, {cache: "no-store"});
    if (!answer.ok) throw new Error(answer.statusText);
    exchange(new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main"));
    note.textContent = "";
  } catch {
    note.textContent = "The run does not answer: it has ended or was stopped. Below is what it " +
      "said last; report.html in its directory has the rest.";
  }
  // A long log takes time to draw, which the training should have.
  setTimeout(next, Math.max(pause, 10 * (performance.now() - start)));
}

// Nobody looks at a page that is hidden.
function next() {
  if (!document.hidden) return update();
  document.addEventListener("visibilitychange", next, {once: true});
}

setTimeout(next, pause);
