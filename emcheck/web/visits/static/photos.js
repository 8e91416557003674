// A photo on its way into the visit: scaled down and coded anew here, so that it is small and tells neither place nor
// camera; then saved and sent like every other act (queue.js).
const QUALITIES = [0.82, 0.7, 0.55, 0.4];
export function ready(part, keep) {
  const input = part.querySelector("input[type=file]"), line = part.querySelector(".kept"), told = part.dataset;
  const say = (text, wrong) => {
    line.textContent = text;
    line.hidden = !text;
    line.classList.toggle("wrong", Boolean(wrong));
  };
  part.hidden = false;
  input.addEventListener("change", async () => {
    const file = input.files[0], chosen = part.querySelector("input[name=caption]:checked");
    input.value = "";
    if (!file) return;
    if (Number(told.count) >= Number(told.most)) return say(told.full, true);
    let picture = null;
    try {
      picture = await coded(file, Number(told.side), Number(told.bytes));
    } catch { return say(told.unread, true); }
    if (!picture) return say(told.large, true);
    count(part, 1);
    say(told.kept);
    if (!await keep({ type: "fitting_photo", caption: chosen.value }, picture, chosen.parentElement.textContent.trim())) {
      count(part, -1);
      say("");
    }
  });
  return { sent: () => say(told.sent), refused: () => { count(part, -1); say(""); } };
}
function count(part, more) {
  part.dataset.count = Number(part.dataset.count) + more;
  part.querySelector(".taken b").textContent = part.dataset.count;
}
async function coded(file, side, most) {
  const read = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, side / Math.max(read.width, read.height)), canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(read.width * scale));
  canvas.height = Math.max(1, Math.round(read.height * scale));
  canvas.getContext("2d").drawImage(read, 0, 0, canvas.width, canvas.height);
  read.close();
  for (const quality of QUALITIES) {
    const blob = await new Promise((done) => { canvas.toBlob(done, "image/jpeg", quality); });
    if (blob && blob.size <= most) return blob.arrayBuffer();
  }
  return null;
}
