"use strict";
const $ = (id) => document.getElementById(id);
let picture = null;

function show(file) {
  if (!file) return;
  const reader = new FileReader();
  reader.onload = () => {
    picture = reader.result;
    $("preview").src = picture;
    $("preview").hidden = false;
  };
  reader.readAsDataURL(file);
}
$("file").addEventListener("change", (e) => show(e.target.files[0]));
const drop = $("drop");
drop.addEventListener("dragover", (e) => { e.preventDefault(); drop.classList.add("over"); });
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (e) => {
  e.preventDefault();
  drop.classList.remove("over");
  show(e.dataTransfer.files[0]);
});
$("quality").addEventListener("input", (e) => { $("dial").value = e.target.value; });

function facts(list, pairs) {
  list.replaceChildren();
  for (const [name, value] of pairs) {
    const dt = document.createElement("dt"), dd = document.createElement("dd");
    dt.textContent = name;
    dd.textContent = value;
    list.append(dt, dd);
  }
}
const percent = (x) => (x === null || x === undefined ? "–" : (100 * x).toFixed(1) + " %");

function told(card, barn) {
  card.dataset.request = barn.request_id;
  card.querySelector(".who").textContent = barn.backbone;
  facts(card.querySelector(".facts"), [
    ["task", barn.task + " (" + barn.family + ")"],
    ["confidence", percent(barn.confidence) + ", calibrated " + percent(barn.calibrated_confidence)],
    ["why", barn.reason],
    ["cost", "$" + (barn.cost || 0).toFixed(6)],
    ...Object.entries(barn.backbones).map(([name, o]) => [
      name,
      (o.expected_accuracy === undefined ? "" : "expected " + percent(o.expected_accuracy) +
        ", $" + o.expected_cost.toFixed(6)) + (o.why_not ? "; " + o.why_not : "; chosen"),
    ]),
  ]);
  card.querySelector(".feedback").hidden = false;
}

async function ask(model) {
  const card = $("card").content.firstElementChild.cloneNode(true);
  card.querySelector(".who").textContent = model;
  $("answers").append(card);
  wire(card);
  const content = [{ type: "text", text: $("question").value }];
  if (picture) content.unshift({ type: "image_url", image_url: { url: picture } });
  const response = await fetch("/v1/chat/completions", {
    method: "POST",
    body: JSON.stringify({
      model, messages: [{ role: "user", content }], max_tokens: 24, stream: true,
      barn: { quality: Number($("quality").value) },
    }),
  });
  if (!response.ok) throw new Error((await response.json()).error.message);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    text += value;
    const frames = text.split("\n\n");
    text = frames.pop();
    for (const frame of frames) {
      if (frame === "data: [DONE]") continue;
      const chunk = JSON.parse(frame.slice(6));
      if (chunk.error) throw new Error(chunk.error.message);
      const delta = chunk.choices[0] && chunk.choices[0].delta.content;
      if (delta) card.querySelector(".said").textContent += delta;
      if (chunk.barn) told(card, chunk.barn);
    }
  }
}

function wire(card) {
  const send = async (word) => {
    const response = await fetch("/v1/feedback", {
      method: "POST",
      body: JSON.stringify({ request_id: card.dataset.request, ...word }),
    });
    const said = response.ok ? "Thank you: recorded." : (await response.json()).error.message;
    card.querySelector(".thanks").textContent = said;
  };
  card.querySelector(".right").onclick = () => send({ correct: true });
  card.querySelector(".wrong").onclick = () => send({ correct: false });
  card.querySelector(".send").onclick = () => send({ truth: card.querySelector(".truth").value });
}

async function run(models) {
  $("problem").textContent = "";
  $("answers").replaceChildren();
  const ended = await Promise.allSettled(models.map(ask));
  const failed = ended.find((e) => e.status === "rejected");
  if (failed) $("problem").textContent = failed.reason.message;
}
$("ask").addEventListener("submit", (e) => { e.preventDefault(); run([$("model").value]); });
$("all").addEventListener("click", () => run(JSON.parse($("ask").dataset.backbones)));
