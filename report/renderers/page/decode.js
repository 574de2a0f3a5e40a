// Arrays as data_for_charts.py packs them: zlib, bytes of one significance together.
async function unsqueezed(text) {
  const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function unpacked({ as, n, z }) {
  const planes = await unsqueezed(z);
  const width = as === "f8" ? 8 : 4;
  const bytes = new Uint8Array(n * width);
  for (let plane = 0; plane < width; plane += 1) {
    for (let i = 0; i < n; i += 1) bytes[i * width + plane] = planes[plane * n + i];
  }
  const view = new DataView(bytes.buffer);
  const values = new Float64Array(n);
  let sum = 0;
  for (let i = 0; i < n; i += 1) {
    if (as === "f8") values[i] = view.getFloat64(8 * i, true);
    else if (as === "f4") values[i] = view.getFloat32(4 * i, true);
    else { sum += view.getInt32(4 * i, true); values[i] = sum; }
  }
  return values;
}

async function seriesData(figure) {
  const data = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
  data.start = (await unpacked(data.start)).map((at) => at * data.scale);
  for (const line of data.lines) {
    line.low = await unpacked(line.low);
    line.high = line.high ? await unpacked(line.high) : line.low;
    line.mean = line.mean ? await unpacked(line.mean) : line.low;
  }
  const { moments } = data;
  for (const part of ["kind", "at", "value"]) moments[part] = await unpacked(moments[part]);
  moments.text = JSON.parse(new TextDecoder().decode(await unsqueezed(moments.text)));
  return data;
}
