// Sends each file by itself as soon as it is chosen, to the page it stands on. The server keeps it as a draft and shows
// the page again, from which the question is taken over: with the file's name, or with what is wrong with it. So a long
// upload is over before the form is handed in, and one that breaks costs nothing but itself.

import { initAll } from "govuk-frontend";

const PAUSES = [1_000, 3_000, 9_000]; // milliseconds before trying again after a fault of the network
const FAULTS = [0, 408, 502, 503, 504]; // what is no answer of the application's own
const underWay = new Set();

export function uploadAtOnce() {
  // In the capturing phase, for the drop zone's own event does not bubble.
  document.addEventListener(
    "change",
    (event) => {
      const place = event.target.closest?.("[data-upload]");
      if (place && event.target.type === "file") sendAll(place, [...event.target.files]);
    },
    true,
  );
  // Who hands in the form meanwhile hands in the chosen files with it.
  document.addEventListener("submit", () => underWay.forEach((request) => request.abort()));
}

async function sendAll(place, files) {
  for (const file of files) place = await sendOne(place, file);
}

async function sendOne(place, file) {
  if (file.size > Number(place.dataset.most)) {
    withdraw(place.querySelector('input[type="file"]'));
    say(place, file, place.dataset.tooLarge);
    return place;
  }
  for (let attempt = 0; ; attempt += 1) {
    const { status, page, given } = await post(place, file);
    if (given) return place;
    if (status === 200 && page) {
      const fresh = page.querySelector(`[data-upload="${CSS.escape(place.dataset.upload)}"]`);
      if (fresh) return takeOver(place, document.importNode(fresh, true), file);
    }
    if (!FAULTS.includes(status)) {
      say(place, file, page?.querySelector("main h1")?.textContent.trim() || place.dataset.failed);
      return place;
    }
    if (attempt === PAUSES.length) {
      offerAgain(place, file);
      return place;
    }
    say(place, file, place.dataset.again);
    await online(PAUSES[attempt]);
  }
}

function post(place, file) {
  const { form } = place.querySelector('input[type="file"]');
  const data = new FormData();
  data.append("csrf_token", form.elements.namedItem("csrf_token")?.value ?? "");
  data.append("_upload", place.dataset.upload);
  for (const { name, value } of place.querySelectorAll('input[type="hidden"]')) data.append(name, value);
  data.append(place.dataset.upload, file);
  const request = new XMLHttpRequest(); // fetch tells of no progress
  request.open("POST", form.action);
  request.responseType = "document";
  request.upload.addEventListener("progress", ({ loaded, total }) => progress(place, file, loaded / total));
  underWay.add(request);
  progress(place, file, 0);
  return new Promise((resolve) => {
    request.addEventListener("loadend", () => {
      underWay.delete(request);
      resolve({ status: request.status, page: request.response, given });
    });
    let given = false;
    request.addEventListener("abort", () => (given = true));
    request.send(data);
  });
}

function takeOver(place, fresh, file) {
  place.replaceWith(fresh);
  initAll({ scope: fresh });
  say(fresh, file, fresh.querySelector(".govuk-error-message") ? "" : fresh.dataset.done);
  return fresh;
}

// Or it would go with the form after all, only to be refused there.
function withdraw(input) {
  input.value = "";
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

function progress(place, file, share) {
  say(place, file, place.dataset.sending);
  const bar = document.createElement("progress");
  bar.max = 100;
  bar.value = Math.round(share * 100);
  bar.setAttribute("aria-label", file.name);
  place.querySelector(".app-upload__status").append(" ", bar, ` ${bar.value}%`);
}

function say(place, file, sentence) {
  const status = place.querySelector(".app-upload__status");
  status.hidden = !sentence;
  status.textContent = sentence.replace("%{name}", file.name);
}

function offerAgain(place, file) {
  say(place, file, place.dataset.failed);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "app-link-button";
  button.textContent = place.dataset.retry;
  button.addEventListener("click", () => sendOne(place, file));
  place.querySelector(".app-upload__status").append(" ", button);
}

function online(pause) {
  return new Promise((resolve) => {
    setTimeout(resolve, pause);
    window.addEventListener("online", resolve, { once: true });
  });
}
