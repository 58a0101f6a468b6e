// Long texts with lines: <output data-caret="text"> says where the caret is, <button data-line="12" data-in="text"> goes to a line.
(() => {
  "use strict";
  const tell = (area) => {
    const out = document.querySelector(`[data-caret="${area.id}"]`);
    if (!out) return;
    const before = area.value.slice(0, area.selectionStart).split("\n");
    out.textContent = `line ${before.length}, column ${before.at(-1).length + 1}`;
  };
  for (const event of ["keyup", "click", "input"]) {
    document.addEventListener(event, (e) => { if (e.target.matches?.("textarea.code")) tell(e.target); });
  }
  document.addEventListener("click", (event) => {
    const to = event.target.closest?.("[data-line]");
    const area = to && document.getElementById(to.dataset.in);
    if (!area) return;
    const lines = area.value.split("\n");
    const line = Math.min(Number(to.dataset.line), lines.length);
    const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    area.focus();
    area.setSelectionRange(start, start + lines[line - 1].length);
    area.scrollTop = Math.max(0, (line - 4) * (area.scrollHeight / lines.length));
    tell(area);
  });
})();
