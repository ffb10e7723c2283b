// A still picture and its poses as the server sends them.

async function loadBitmap(path) {
  const response = await fetch(addressOf(path));
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return createImageBitmap(await response.blob());
}

function layersFrom(data) {
  const layers = {};
  for (const [key, layer] of Object.entries(data.layers)) {
    const people = layer.people.map((person) => ({
      ...person,
      xy: Float32Array.from(person.xy, (tenths) => (tenths === null ? NaN : tenths / 10)),
      box: person.box && person.box.map((tenths) => tenths / 10),
    }));
    layers[key] = { ...layer, people, skeleton: data.skeletons[layer.skeleton] };
  }
  return layers;
}
