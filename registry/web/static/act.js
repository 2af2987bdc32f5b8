// Says what is wrong with a form while it is typed, and the command that it equals. Without it, the form says so when it
// is sent.
"use strict";

for (const form of document.querySelectorAll("form[data-check]")) {
  const touched = new Set();
  const command = form.querySelector("#command");
  let waiting;
  let asking = new AbortController();

  const show = (name, words) => {
    const place = document.getElementById(`error-${name}`);
    if (place === null || (name === "" ? touched.size === 0 : !touched.has(name))) return;
    place.textContent = words;
    const field = name === "" ? null : form.elements.namedItem(name);
    if (field instanceof Element) {
      if (words === "") field.removeAttribute("aria-invalid");
      else field.setAttribute("aria-invalid", "true");
    }
  };

  // What each commit is to the artifact: another name, other words.
  const mark = (commits) => {
    for (const row of form.querySelectorAll("tr[data-commit]")) {
      const found = commits[row.dataset.commit];
      if (found === undefined) continue;
      const declared = document.createElement(found.declared === null ? "span" : "code");
      declared.className = found.declared === null ? "faint" : "";
      declared.textContent = found.declared ?? "not declared";
      row.querySelector("[data-declared]").replaceChildren(declared);
      const versions = found.versions.map((name) => {
        const version = document.createElement("span");
        version.className = "version";
        version.textContent = name;
        return version;
      });
      row.querySelector("[data-versions]").replaceChildren(...versions.flatMap((version) => [version, " "]));
    }
  };

  let marked = form.elements.namedItem("name")?.value;

  const check = async () => {
    const said = new URLSearchParams(new FormData(form));
    for (const name of ["token", "once"]) said.delete(name);
    said.set("action", form.dataset.action);
    const name = said.get("name");
    if (name !== marked) said.set("commits", "1");
    const address = `${form.dataset.check}?${said}`;
    if (address.length > 16000) return; // it is checked when it is sent
    asking.abort(); // something else was typed meanwhile: what was asked before holds up whatever is loaded next
    asking = new AbortController();
    const { signal } = asking;
    let found;
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" }, signal });
      if (!answer.ok) return;
      found = await answer.json();
    } catch {
      return;
    }
    if (signal.aborted) return;
    if (found.busy) {
      // Somebody acts, which may take a while.
      waiting = setTimeout(check, 2000);
      return;
    }
    for (const place of form.querySelectorAll("output.error")) {
      const name = place.id.replace("error-", "");
      show(name, found.errors[name] ?? "");
    }
    for (const place of form.querySelectorAll("[data-next]")) {
      place.textContent = found.suggested[place.dataset.next] ?? "";
    }
    if (found.commits !== undefined) {
      mark(found.commits);
      marked = name;
    }
    command.hidden = found.command === "";
    command.textContent = found.command;
  };

  const soon = (event) => {
    const name = event.target.name;
    touched.add(name === "pick" ? "revision" : name);
    if (name === "name" || name === "pick" || name === "bump") touched.add("revision").add("version");
    if (name === "push" || name === "offline") touched.add("remote").add("offline");
    if (name === "revision") {
      const typed = form.querySelector('input[name="pick"][value=""]');
      if (typed !== null) typed.checked = true;
    }
    if (name === "pick" && event.target.value !== "") form.elements.namedItem("revision").value = ""; // one of the two
    clearTimeout(waiting);
    waiting = setTimeout(check, 250);
  };

  // Who sends it looks at another page next, or at this one again.
  form.addEventListener("submit", () => {
    clearTimeout(waiting);
    asking.abort();
  });
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  if (form.elements.namedItem("name")?.value) check();
}
