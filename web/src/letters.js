// A textarea with data-longest says how much was written and how much fits, once somebody types.
export function countLetters() {
  const words = document.getElementById("letter-words")?.dataset.written;
  if (!words) return;
  document.addEventListener("input", (event) => {
    const area = event.target;
    if (area.tagName !== "TEXTAREA" || !area.dataset.longest) return;
    const note = document.getElementById(`${area.id}-letters`);
    if (!note) return;
    const most = Number(area.dataset.longest);
    note.textContent = words
      .replace("{n}", [...area.value].length.toLocaleString())
      .replace("{most}", most.toLocaleString());
    note.classList.toggle("is-over", [...area.value].length > most);
  });
}
