// What of a series falls into each pixel of a drawing: the same as svg/bins.py.

// The first index whose value is not below `value`.
function firstFrom(sorted, value) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1; else high = middle;
  }
  return low;
}

// The bin that holds a moment.
function binAt(start, at) {
  const i = firstFrom(start, at);
  return Math.max(0, Math.min(start[i] === at ? i : i - 1, start.length - 2));
}

// n columns from `from` to `to`. A bin counts in each column that it touches for low and high, and
// by the length that lies within for the mean: a peak of one bin is in at least one column.
function binned(start, line, from, to, n) {
  const columns = { edges: new Float64Array(n + 1), low: new Float64Array(n), high: new Float64Array(n), mean: new Float64Array(n) };
  let i = binAt(start, from);
  for (let c = 0; c < n; c += 1) {
    const left = from + ((to - from) * c) / n, right = from + ((to - from) * (c + 1)) / n;
    columns.edges[c] = left;
    while (i < start.length - 2 && start[i + 1] <= left && start[i] < left) i += 1;
    let low = Infinity, high = -Infinity, area = 0, length = 0;
    for (let j = i; j < start.length - 1 && (start[j] < right || j === i); j += 1) {
      if (line.low[j] < low) low = line.low[j];
      if (line.high[j] > high) high = line.high[j];
      const within = Math.min(start[j + 1], right) - Math.max(start[j], left);
      if (within > 0 && line.mean[j] === line.mean[j]) { area += within * line.mean[j]; length += within; }
    }
    columns.low[c] = low === Infinity ? NaN : low;
    columns.high[c] = high === -Infinity ? NaN : high;
    columns.mean[c] = length > 0 ? Math.min(Math.max(area / length, low), high) : NaN;
  }
  columns.edges[n] = to;
  return columns;
}

// As many bins as are seen, where those are no more than the pixels; else columns of a pixel.
function visibleColumns(start, line, from, to, room) {
  const first = binAt(start, from), behind = Math.min(Math.max(firstFrom(start, to), first + 1), start.length - 1);
  if (behind - first > room) return binned(start, line, from, to, room);
  const edges = start.slice(first, behind + 1);
  edges[0] = Math.max(edges[0], from);
  edges[edges.length - 1] = Math.min(edges[edges.length - 1], to);
  return { edges, low: line.low.subarray(first, behind), high: line.high.subarray(first, behind), mean: line.mean.subarray(first, behind) };
}
