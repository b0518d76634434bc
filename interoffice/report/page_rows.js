(() => {
  const bodies = [...document.querySelectorAll("table.items > tbody")];
  const states = [...new Set(bodies.map((body) => body.dataset.state))];
  const filters = document.querySelector(".filters");
  if (!filters || states.length < 2) return;
  filters.hidden = false;
  const show = (state) => {
    bodies.forEach((body) => { body.hidden = state !== "all" && body.dataset.state !== state; });
    filters.querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed", button.value === state));
  };
  ["all", ...states].forEach((state) => {
    const count = state === "all" ? bodies.length : bodies.filter((body) => body.dataset.state === state).length;
    const button = Object.assign(document.createElement("button"), { value: state, textContent: `${state} ${count}` });
    button.addEventListener("click", () => show(state));
    filters.append(button);
  });
  show("all");
})();
