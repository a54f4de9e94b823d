// A second click while the first is under way would be a second submission. Buttons are not disabled, for that would
// drop their own name and value from what is sent.

const PATIENCE = 15_000; // milliseconds after which one may try again, should the network have swallowed the first

export function submitOnce() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.underWay) {
      event.preventDefault();
      return;
    }
    form.dataset.underWay = "true";
    form.setAttribute("aria-busy", "true");
    setTimeout(() => release(form), PATIENCE);
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-under-way]").forEach(release));
}

function release(form) {
  delete form.dataset.underWay;
  form.removeAttribute("aria-busy");
}
