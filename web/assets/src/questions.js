// Hides the questions that the other answers on the page make needless, and shows them again. It evaluates no
// condition: the server names the question it depends on and the answers that call for it. Answers to hidden
// questions stay in the page (and are dropped by the server), so changing one's mind loses nothing.

export function showWhatIsAsked() {
  const dependents = [...document.querySelectorAll("[data-show-if]")];
  if (!dependents.length) return;
  const update = () => {
    for (const question of dependents) {
      const given = answers(question.dataset.showIf);
      question.hidden = !JSON.parse(question.dataset.showValues).some((value) => given.includes(value));
    }
  };
  document.addEventListener("change", update);
  window.addEventListener("pageshow", update); // the browser restores answers after this script ran
  update();
}

function answers(name) {
  const asked = [...document.getElementsByName(name)].filter((input) => !input.closest("[data-show-if][hidden]"));
  const chosen = asked.filter((input) => !["radio", "checkbox"].includes(input.type) || input.checked);
  return chosen.map((input) => input.value);
}
