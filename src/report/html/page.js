"use strict";
// The page is whole without this. It adds: hovering, stepping and zooming a timeline, a filter, copying, light or dark.
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Light or dark: as the system says, until the button is pressed; remembered where the browser allows it.
  const root = document.documentElement;
  const theme = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const remembered = (value) => {
    try {
      if (value !== undefined) localStorage.setItem("quickeats-bench-theme", value);
      return localStorage.getItem("quickeats-bench-theme");
    } catch {
      return null;
    }
  };
  const named = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  if (["light", "dark"].includes(remembered())) root.dataset.theme = remembered();
  theme.hidden = false;
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remembered(root.dataset.theme);
    named();
  });
  dark.addEventListener("change", named);
  named();

  // Where there is not room for all, the proof is seen first. Measured when it comes near: to measure is to lay out all before it.
  const seen = new IntersectionObserver((entries) => {
    for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
      seen.unobserve(target);
      const left = target.querySelector("svg.lanes").getBoundingClientRect().left;
      const proof = all(".op.witness", target).map((one) => one.getBoundingClientRect());
      const right = Math.max(...proof.map((one) => one.right - left));
      if (right > target.clientWidth) target.scrollLeft = proof[0].left - left - 12;
    }
  }, { rootMargin: "50%" });

  // A timeline: what is pointed at or stepped to is told below it.
  for (const figure of all(".timeline")) {
    const operations = all(".op", figure);
    const rows = all("tbody tr", figure);
    const detail = figure.querySelector(".detail");
    const scroll = figure.querySelector(".scroll");
    const picture = figure.querySelector("svg.lanes");
    const tools = figure.querySelector(".tools");
    const height = picture.getAttribute("height");
    const width = Number(picture.dataset.width);
    let at = -1;
    let zoom = 1;

    const tell = (to, follow) => {
      if (to < 0 || to >= operations.length) return;
      at = to;
      operations.forEach((operation, index) => operation.classList.toggle("lit", index === at));
      rows.forEach((row, index) => row.classList.toggle("lit", index === at));
      detail.textContent = `${at + 1} of ${operations.length}. ${operations[at].querySelector("title").textContent}`;
      if (follow) {
        const box = operations[at].getBoundingClientRect();
        const shown = scroll.getBoundingClientRect();
        const apart = box.left - shown.left - 24;
        if (apart < 0 || box.right > shown.right) scroll.scrollLeft += apart;
      }
    };
    const zoomed = (factor) => {
      const centre = (scroll.scrollLeft + scroll.clientWidth / 2) / zoom;
      zoom = Math.min(8, Math.max(1, zoom * factor));
      // Stretched in time alone: texts and numbers keep their shape.
      picture.setAttribute("width", String(width * zoom));
      picture.setAttribute("height", height);
      for (const fixed of all("text, circle", picture)) {
        const x = Number(fixed.getAttribute(fixed.tagName === "circle" ? "cx" : "x"));
        fixed.setAttribute("transform", zoom === 1 ? "" : `translate(${x} 0) scale(${1 / zoom} 1) translate(${-x} 0)`);
      }
      scroll.scrollLeft = centre * zoom - scroll.clientWidth / 2;
    };
    const play = { back: () => tell(Math.max(0, at - 1), true), next: () => tell(at + 1, true), on: () => tell((at + 1) % operations.length, true), in: () => zoomed(1.5), out: () => zoomed(1 / 1.5) };

    seen.observe(scroll);
    tools.hidden = false;
    detail.hidden = false;
    detail.textContent = "Point at an operation, or step through them with the arrow keys.";
    tools.addEventListener("click", (event) => play[event.target.dataset.do]?.());
    operations.forEach((operation, index) => {
      operation.addEventListener("pointerenter", () => tell(index, false));
      operation.addEventListener("click", () => tell(index, false));
    });
    figure.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey || !event.target.closest(".scroll, .tools")) return;
      const step = { ArrowRight: "next", ArrowLeft: "back", "+": "in", "-": "out" }[event.key];
      if (!step) return;
      event.preventDefault();
      play[step]();
    });
  }

  // Copying: to the clipboard where that is allowed; otherwise selected, for the reader to copy.
  for (const button of all(".copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const code = button.parentElement.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1600);
    });
  }

  // The filter of findings.
  for (const form of all(".filter")) {
    const cards = all("#findings .card, #findings > .wide tbody tr");
    let texts;
    const apply = () => {
      texts ??= cards.map((card) => card.textContent.toLowerCase());
      const kind = form.elements.kind.value;
      const text = form.elements.text.value.trim().toLowerCase();
      let shown = 0;
      cards.forEach((card, index) => {
        card.hidden = (kind !== "" && card.dataset.kind !== kind) || !texts[index].includes(text);
        if (!card.hidden) shown += 1;
      });
      form.querySelector("output").textContent = `${shown} of ${cards.length} findings`;
    };
    form.hidden = false;
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  // A link to a scenario opens it.
  const open = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) target.open = true;
  };
  addEventListener("hashchange", open);
  open();
  // Paper has room for all of a picture.
  addEventListener("beforeprint", () => all(".scroll").forEach((one) => { one.scrollLeft = 0; }));
})();
