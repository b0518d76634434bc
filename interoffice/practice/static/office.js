"use strict";
// No element is found by id, name or test id here: the practice faults rename those.
(() => {
  const faults = JSON.parse(document.body.dataset.faults || "{}");

  // A form that commits is sent once, however often its button is clicked, as a careful application does it.
  for (const form of document.querySelectorAll("form[data-commits]")) {
    form.addEventListener("submit", (event) => {
      if (faults.double_submit) return;
      if (form.dataset.sent) return event.preventDefault();
      form.dataset.sent = "yes";
      document.querySelector("[data-busy]").hidden = false;
    });
  }

  for (const button of document.querySelectorAll("[data-adds-line]")) {
    button.addEventListener("click", () => {
      const grid = button.closest("[data-lines]");
      const body = grid.querySelector("tbody");
      const next = Number(grid.dataset.next);
      grid.dataset.next = String(next + 1);
      const row = grid.querySelector("template").content.cloneNode(true);
      for (const input of row.querySelectorAll("input")) input.name = input.name.replace("__", String(next));
      body.append(row);
      body.lastElementChild.querySelector("input").focus();
    });
  }

  for (const input of document.querySelectorAll("[data-wiped]")) {
    input.addEventListener("input", () => setTimeout(() => { input.value = ""; }, Number(input.dataset.wiped)), { once: true });
  }

  if (faults.stolen_focus) {
    const steal = () => {
      const fields = [...document.querySelectorAll("form[data-commits] input:not([type=file])")];
      const other = fields.filter((field) => field !== document.activeElement);
      if (other.length) other[Math.floor(Math.random() * other.length)].focus();
    };
    setInterval(steal, faults.stolen_focus.milliseconds || 20);
  }

  const notice = document.querySelector("[data-notice]");
  if (notice) {
    const close = () => { notice.hidden = true; };
    notice.querySelector("button").addEventListener("click", close);
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
    setTimeout(() => { notice.hidden = false; }, faults.notice ? faults.notice.milliseconds : 0);
  }

  const cookies = document.querySelector("[data-cookies]");
  if (cookies) {
    for (const button of cookies.querySelectorAll("button")) {
      button.addEventListener("click", () => {
        document.cookie = `practice_crm_cookies=${button.value}; path=/; max-age=31536000; samesite=lax`;
        cookies.hidden = true;
      });
    }
  }

  if (faults.loading) {
    setTimeout(() => {
      for (const rows of document.querySelectorAll("template[data-later-rows]")) {
        rows.parentElement.querySelector("tbody").append(rows.content);
      }
      for (const output of document.querySelectorAll("output[data-later]")) output.value = output.dataset.later;
      for (const form of document.querySelectorAll("form[data-commits]")) form.reset();
      document.querySelector("[data-busy]").hidden = true;
    }, faults.loading.milliseconds);
  }
})();
