"use strict";
// Sections marked data-live are fetched again every few seconds while somebody looks at them.
const EVERY_MS = 5000;
async function refresh() {
  if (document.hidden) return;
  const response = await fetch(location.href).catch(() => null); // away: the next look may find it
  if (!response || !response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const old of document.querySelectorAll("[data-live]")) {
    const now = fresh.getElementById(old.id);
    if (now && now.innerHTML !== old.innerHTML && !old.contains(document.activeElement)) {
      old.innerHTML = now.innerHTML;
    }
  }
}
setInterval(refresh, EVERY_MS);
