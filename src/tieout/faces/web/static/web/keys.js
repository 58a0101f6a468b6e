// The keyboard: / finds, j and k move over rows, Enter opens, a letter presses what the row or page offers under it
// (data-key="a"), ? lists the keys. Everything works without it, by Tab and Enter.
(() => {
  "use strict";
  const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
  let here = null;

  const go = (row) => {
    if (!row) return;
    if (here) here.classList.remove("here");
    here = row;
    row.classList.add("here");
    if (!row.hasAttribute("tabindex")) row.tabIndex = -1;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  };
  const move = (step) => {
    const all = rows();
    const at = all.indexOf(here);
    go(all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.max(0, Math.min(all.length - 1, at + step))]);
  };
  const typing = (el) => el && (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName));
  const sheetOpen = () => document.querySelector(".sheet:popover-open");

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    if (typing(event.target)) return;
    const key = event.key;
    if (key === "/") {
      const find = document.querySelector("[data-find]");
      if (!find) return;
      event.preventDefault();
      const menu = document.getElementById("menu");
      if (menu && find.offsetParent === null) menu.showPopover();
      find.focus();
      find.select();
    } else if (key === "?") {
      event.preventDefault();
      document.getElementById("help")?.togglePopover();
    } else if (sheetOpen()) {
      return;
    } else if (key === "j" || key === "k") {
      event.preventDefault();
      move(key === "j" ? 1 : -1);
    } else if (key === "Enter" && here && event.target === here) {
      here.querySelector("[data-open]")?.click();
    } else if (/^[a-z]$/.test(key)) {
      const offered = here?.querySelector(`[data-key="${key}"]`) ?? document.querySelector(`[data-key="${key}"]:not([data-row] *)`);
      if (offered) { event.preventDefault(); offered.click(); }
    }
  });
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest?.("[data-row]");
    if (row && row !== here) { here?.classList.remove("here"); here = row; row.classList.add("here"); }
  });
  // Ask before what cannot be undone: <form data-sure="Delete the demo?">
  document.addEventListener("submit", (event) => {
    const words = event.target.dataset?.sure;
    if (words && !window.confirm(words)) event.preventDefault();
  });
  // <select data-go> and date pickers submit their form as soon as they change.
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-go]")) event.target.form?.requestSubmit();
  });
  // <input type="checkbox" data-all="name"> ticks every box of that name in its form.
  document.addEventListener("change", (event) => {
    const name = event.target.dataset?.all;
    if (name) for (const box of event.target.form.querySelectorAll(`input[name="${name}"]`)) box.checked = event.target.checked;
  });
  // <button data-copy="text">
  document.addEventListener("click", (event) => {
    const copy = event.target.closest?.("[data-copy]");
    if (copy) navigator.clipboard?.writeText(copy.dataset.copy).then(() => { copy.textContent = "Copied"; });
  });
})();
