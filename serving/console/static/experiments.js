"use strict";
const problem = document.getElementById("problem");
async function call(method, path, body) {
  problem.textContent = "";
  const response = await fetch(path, { method, body: JSON.stringify(body) });
  const told = await response.json();
  if (!response.ok) problem.textContent = told.error.message;
  return response.ok;
}
const create = document.getElementById("create");
if (create) {
  const mode = document.getElementById("mode"), share = document.getElementById("share");
  mode.addEventListener("change", () => {  // a split needs traffic on both sides
    share.max = mode.value === "split" ? "0.95" : "1";
    share.value = mode.value === "split" ? "0.1" : "1";
  });
  create.addEventListener("submit", async (e) => {
    e.preventDefault();
    const value = (id) => document.getElementById(id).value;
    const spec = {
      name: value("name"), control: value("control"),
      candidates: Array.from(document.getElementById("candidates").selectedOptions, (o) => o.value),
      mode: value("mode"), share: Number(value("share")),
    };
    if (await call("POST", "/v1/experiments", spec)) location.href = "/console/experiments/" + spec.name;
  });
}
const change = document.getElementById("change");
if (change) {
  for (const button of change.querySelectorAll("button")) {
    button.addEventListener("click", async () => {
      const path = "/v1/experiments/" + change.dataset.name;
      const asked = { promoted: "Promote: what the copies showed becomes part of the quality table", stopped: "Stop for good" };
      const text = asked[button.dataset.status];
      if (text && !confirm(text + "?")) return;
      if (await call("PATCH", path, { status: button.dataset.status })) location.reload();
    });
  }
}
