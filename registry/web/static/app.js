// Comfort for who has a script engine: filter while typing, sort by a click, copy a command. Every page is whole without.
"use strict";

(() => {
  const words = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);

  // -- the filter of the models page ----------------------------------------------------------------------------------

  const form = document.querySelector("form[data-filter]");
  const tables = [...document.querySelectorAll("table[data-table]")];
  const rows = tables.flatMap((table) => [...table.tBodies[0].rows]);
  const field = (name) => (form && form.elements[name] ? form.elements[name].value : "");

  const keeps = (row, wanted) =>
    wanted.words.every((word) => row.dataset.words.includes(word)) &&
    (!wanted.type || row.dataset.type === wanted.type) &&
    (!wanted.stage || row.dataset.stages.split(" ").includes(wanted.stage)) &&
    (!wanted.label || JSON.parse(row.dataset.labels).includes(wanted.label));

  const filter = () => {
    const wanted = { words: words(field("q")), type: field("type"), stage: field("stage"), label: field("label") };
    const narrows = wanted.words.length || wanted.type || wanted.stage || wanted.label;
    let main = 0;
    let all = 0;
    for (const row of rows) {
      row.hidden = !keeps(row, wanted);
      if (row.hidden) continue;
      all += 1;
      if (!row.closest("details")) main += 1;
    }
    for (const table of tables) {
      const box = table.closest("details") || table.closest(".scroll");
      box.hidden = ![...table.tBodies[0].rows].some((row) => !row.hidden);
      const summary = box.querySelector("summary");
      if (summary) summary.textContent = `${all - main} deprecated`;
    }
    const nothing = document.querySelector("[data-nothing]");
    if (nothing) nothing.hidden = all > 0;
    const count = document.querySelector("[data-count]");
    if (count) count.textContent = narrows ? `${main} of ${rows.length}${document.querySelector(".pager") ? " on this page" : ""}` : count.dataset.before;
  };

  if (form) {
    form.hidden = false;
    const count = document.querySelector("[data-count]");
    if (count) count.dataset.before = count.textContent;
    // What the server left out, or put on another page, is not here to be found: then the server is asked.
    const whole = !("filtered" in form.dataset) && !document.querySelector(".pager");
    const still = "static" in document.body.dataset;
    const ask = () => (whole || still ? filter() : form.requestSubmit());
    for (const control of form.querySelectorAll("select")) control.addEventListener("change", ask);
    const search = form.elements.q;
    if (whole || still) search.addEventListener("input", filter);
    const deprecated = form.elements.deprecated;
    if (deprecated) deprecated.addEventListener("change", () => form.requestSubmit());
    if (still) form.addEventListener("submit", (event) => event.preventDefault());
    const clear = document.querySelector("[data-clear]");
    if (clear)
      clear.addEventListener("click", (event) => {
        event.preventDefault();
        for (const control of form.querySelectorAll("select, input[type=search]")) control.value = "";
        filter();
        search.focus();
      });
    if ((whole || still) && rows.length) filter(); // a browser that goes back fills the form in again
  }

  // -- sorting by a click ---------------------------------------------------------------------------------------------

  const version = (text) => {
    const found = /^v(\d+)\.(\d+)\.(\d+)(?:-([^+]*))?/.exec(text);
    if (!found) return null;
    const identifiers = found[4] === undefined ? null : found[4].split(".");
    return { core: found.slice(1, 4).map(Number), pre: identifiers };
  };
  const compareVersions = (a, b) => {
    for (let i = 0; i < 3; i += 1) if (a.core[i] !== b.core[i]) return a.core[i] - b.core[i];
    if (!a.pre || !b.pre) return (a.pre ? 0 : 1) - (b.pre ? 0 : 1);
    for (let i = 0; i < Math.max(a.pre.length, b.pre.length); i += 1) {
      const [x, y] = [a.pre[i], b.pre[i]];
      if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
      const [n, m] = [/^\d+$/.test(x), /^\d+$/.test(y)];
      if (n && m && Number(x) !== Number(y)) return Number(x) - Number(y);
      if (n !== m) return n ? -1 : 1;
      if (x !== y) return x < y ? -1 : 1;
    }
    return 0;
  };
  const compare = (a, b) => {
    const [v, w] = [version(a), version(b)];
    if (v && w) return compareVersions(v, w);
    return a < b ? -1 : a > b ? 1 : 0;
  };

  const valueOf = (row, place, key) => {
    if (key in row.dataset) return row.dataset[key];
    const cell = row.cells[place];
    return cell.querySelector(".none") ? "" : (cell.querySelector(".version, code") || cell).textContent.trim();
  };

  const sort = (table, place, key, header) => {
    const down = header.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const valued = [...table.tBodies[0].rows].map((row) => [valueOf(row, place, key), row]);
    valued.sort(([a, one], [b, other]) => {
      if (!a || !b) return (a ? 0 : 1) - (b ? 0 : 1) || one.dataset.place - other.dataset.place; // without it: last
      return (down ? -1 : 1) * compare(a, b) || one.dataset.place - other.dataset.place;
    });
    table.tBodies[0].append(...valued.map(([, row]) => row));
  };

  for (const table of tables) {
    if (document.querySelector(".pager") && !("static" in document.body.dataset)) break; // the server sorts all pages
    [...table.tHead.rows[0].cells].forEach((header, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = header.textContent;
      header.replaceChildren(button);
      button.addEventListener("click", () => sort(table, place, header.dataset.sort || "", header));
    });
  }

  // -- copying --------------------------------------------------------------------------------------------------------

  if (navigator.clipboard) {
    for (const figure of document.querySelectorAll(".copy")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "quiet";
      button.textContent = "Copy";
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(figure.querySelector("code").textContent);
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 2000);
      });
      figure.append(button);
    }
  }

  // -- a static page grows old: how long ago is told as of now -----------------------------------------------------------

  if ("static" in document.body.dataset) {
    const steps = [[60, 1, "second"], [3600, 60, "minute"], [86400, 3600, "hour"], [14 * 86400, 86400, "day"],
      [60 * 86400, 7 * 86400, "week"], [730 * 86400, 30.44 * 86400, "month"], [Infinity, 365.25 * 86400, "year"]];
    for (const time of document.querySelectorAll("main time[datetime]")) {
      const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
      if (!(seconds >= 45) || Date.parse(time.dateTime) < Date.UTC(2005, 0, 1)) continue;
      const [, size, word] = steps.find(([end]) => seconds < end);
      const number = Math.max(1, Math.floor(seconds / size));
      time.textContent = `${number} ${word}${number === 1 ? "" : "s"} ago`;
    }
  }

  // A menu closes when one looks elsewhere.
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
})();
