// Picture viewer: one still picture behind the panels.

function mount(parentElement) {
  const root = parentElement.querySelector(".viewer");
  const viewer = { bitmap: null, send: () => {} };
  viewer.stage = new Stage(root, {
    onPick: (joint) => viewer.send(joint && { ...joint, picture: viewer.stage.picture.id }),
    drawBackdrop: (ctx, place) => {
      if (!viewer.bitmap) return;
      const { width, height } = viewer.stage.picture;
      ctx.drawImage(viewer.bitmap, place.dx, place.dy, width * place.scale, height * place.scale);
    },
  });
  return viewer;
}

// The old picture stays until the new one is there, and both change together with their poses.
async function update(viewer, data) {
  viewer.newest = data;
  const memory = memoryOf(data.key, data.picture.id);
  let problem = "";
  if (!memory.bitmap) {
    try {
      memory.bitmap = await loadBitmap(data.picture.url);
    } catch (error) {
      problem = `The picture could not be loaded: ${error.message}. Reload the page to try again.`;
    }
  }
  if (viewer.newest !== data) return;
  viewer.bitmap = memory.bitmap ?? null;
  // What was picked on the last picture must not come back together with it.
  if (memory !== viewer.stage.memory && viewer.stage.memory.picked) viewer.send(null);
  const panels = problem
    ? data.panels.map((panel) => ({ ...panel, message: problem, tone: "failed" }))
    : data.panels;
  viewer.stage.show({
    picture: data.picture, memory, layers: layersFrom(data), panels, options: data.options,
  });
  obey(viewer.stage, data);
}

// Does what the page asks for, once for each new `seq`.
function obey(stage, { pick, focus, come }) {
  if (pick && pick.seq !== stage.memory.seq) {
    stage.memory.seq = pick.seq;
    stage.pickNamed(pick);
  }
  if (focus && focus.key !== stage.memory.focused) {
    stage.memory.focused = focus.key;
    requestAnimationFrame(() => stage.fitBox(focus.box));
  }
  stage.comeTo(come);
}

export default function ({ data, parentElement, setStateValue }) {
  const viewer = (parentElement.__poseViewer ??= mount(parentElement));
  viewer.send = (joint) => setStateValue("selected", joint);
  update(viewer, data);
  return () => {
    viewer.stage.close();
    delete parentElement.__poseViewer;
  };
}
