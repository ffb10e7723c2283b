// One zoom and position for all canvases of a viewer, in fractions of the picture, so that it fits
// canvases of any size; zoom 1 shows the whole picture.

const ZOOM_MIN = 0.5, ZOOM_MAX = 40;
const HOME = Object.freeze({ zoom: 1, cx: 0.5, cy: 0.5 });

// Where the picture lies on a canvas of `width` x `height` CSS pixels.
function placeOf(view, picture, width, height) {
  const scale = view.zoom * Math.min(width / picture.width, height / picture.height);
  return {
    scale,
    dx: width / 2 - view.cx * picture.width * scale,
    dy: height / 2 - view.cy * picture.height * scale,
  };
}

// The view zoomed by `factor` with the point (x, y) of that canvas staying where it is.
function zoomedAt(view, place, picture, factor, [x, y]) {
  const zoom = clamp(view.zoom * factor, ZOOM_MIN, ZOOM_MAX);
  const change = zoom / view.zoom;
  const px = (x - place.dx) / place.scale / picture.width;
  const py = (y - place.dy) / place.scale / picture.height;
  return {
    zoom,
    cx: clamp(px + (view.cx - px) / change, 0, 1),
    cy: clamp(py + (view.cy - py) / change, 0, 1),
  };
}

// The view after the picture was dragged by (dx, dy) CSS pixels.
function movedBy(view, place, picture, dx, dy) {
  return {
    zoom: view.zoom,
    cx: clamp(view.cx - dx / place.scale / picture.width, 0, 1),
    cy: clamp(view.cy - dy / place.scale / picture.height, 0, 1),
  };
}

// Wheel, drag, pinch and double click on `canvas`. `stage` has view, place(canvas), picture,
// setView(view), pageScrolls(), leaveToPage(), hover(canvas, point | null), pick(canvas, point), and
// where things can be dragged grab(canvas, point, kind of pointer): null, or {move(by), drop(kept)}.
function followPointers(canvas, stage) {
  const pointers = new Map();
  let moved = 0, grabbed = null;
  const letGo = (kept) => {
    grabbed?.drop(kept);
    grabbed = null;
  };
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const spread = () => {
    const [a, b] = [...pointers.values()];
    return { length: Math.hypot(a[0] - b[0], a[1] - b[1]), middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] };
  };
  const drag = (from, to) => {
    stage.setView(movedBy(stage.view, stage.place(canvas), stage.picture, to[0] - from[0], to[1] - from[1]));
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    if (pointers.size === 0) {
      moved = 0;
      grabbed = stage.grab?.(canvas, at(event), event.pointerType) ?? null;
    } else {
      letGo(false); // the second finger of a pinch
    }
    pointers.set(event.pointerId, at(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    const now = at(event), before = pointers.get(event.pointerId);
    if (!before) return stage.hover(canvas, now);
    if (pointers.size === 2) {
      const old = spread();
      pointers.set(event.pointerId, now);
      const fresh = spread();
      drag(old.middle, fresh.middle);
      stage.setView(zoomedAt(
        stage.view, stage.place(canvas), stage.picture, fresh.length / old.length, fresh.middle));
      moved = Infinity;
      return;
    }
    moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    pointers.set(event.pointerId, now);
    if (moved <= 3) return;
    if (grabbed) grabbed.move([now[0] - before[0], now[1] - before[1]]);
    else drag(before, now);
  });
  const release = (event) => {
    if (!pointers.delete(event.pointerId)) return;
    const tapped = event.type === "pointerup" && moved <= 3;
    letGo(event.type === "pointerup" && !tapped);
    if (tapped) stage.pick(canvas, at(event));
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => stage.hover(canvas, null));
  canvas.addEventListener("dblclick", () => stage.setView(HOME));
  canvas.addEventListener("wheel", (event) => {
    // Somebody who scrolls the page past the picture keeps scrolling the page.
    const outward = event.deltaY > 0 && stage.view.zoom <= 1;
    if (!event.ctrlKey && (outward || stage.pageScrolls())) return stage.leaveToPage();
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    const factor = Math.exp(-clamp(event.deltaY * lines, -200, 200) * (event.ctrlKey ? 0.01 : 0.002));
    stage.setView(zoomedAt(stage.view, stage.place(canvas), stage.picture, factor, at(event)));
  }, { passive: false });
}
