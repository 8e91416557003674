// A signature by finger: lines of points on a field of 1000 by 500, in a hidden field of the form.
const LEAST = 6, POINTS = 700, LINES = 30;
export function ready(part) {
  const canvas = part.querySelector("canvas"), kept = part.querySelector("input[type=hidden]"), clear = part.querySelector(".clear");
  const pen = canvas.getContext("2d");
  let strokes = kept.value ? JSON.parse(kept.value) : [], line = null;
  canvas.hidden = clear.hidden = false;
  pen.lineWidth = 7;
  pen.lineCap = pen.lineJoin = "round";
  pen.strokeStyle = "#12171c";
  const draw = (points) => {
    pen.beginPath();
    pen.moveTo(...points[0]);
    for (const point of points) pen.lineTo(...point);
    pen.stroke();
  };
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const inside = (value, most) => Math.round(Math.min(most, Math.max(0, value)));
    return [inside((event.clientX - box.left) / box.width * 1000, 1000), inside((event.clientY - box.top) / box.height * 500, 500)];
  };
  const keep = () => { kept.value = strokes.length ? JSON.stringify(strokes) : ""; };
  canvas.addEventListener("pointerdown", (event) => {
    if (strokes.length >= LINES) return;
    canvas.setPointerCapture(event.pointerId);
    line = [place(event)];
    strokes.push(line);
    draw(line);
    keep();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!line || strokes.reduce((sum, each) => sum + each.length, 0) >= POINTS) return;
    const last = line[line.length - 1], next = place(event);
    if (Math.hypot(next[0] - last[0], next[1] - last[1]) < LEAST) return;
    line.push(next);
    draw([last, next]);
    keep();
  });
  for (const over of ["pointerup", "pointercancel"]) canvas.addEventListener(over, () => { line = null; });
  clear.addEventListener("click", () => {
    strokes = [];
    pen.clearRect(0, 0, canvas.width, canvas.height);
    keep();
  });
  strokes.forEach(draw);
}
