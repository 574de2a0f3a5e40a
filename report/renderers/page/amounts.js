// Figures in words and round numbers of axes: the same as svg/amounts.py.
const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"];
const TIMES = [[60, "min", 180], [1, "s", 1], [1e-3, "ms", 1e-3], [1e-6, "µs", 0]];

function fixed(number, decimals) {
  return number.toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

function digits(number) {
  if (!Number.isFinite(number)) return "–";
  const size = Math.abs(number);
  if (size === 0 || size >= 99.95) return fixed(number, 0);
  return fixed(number, Math.max(0, 2 - Math.floor(Math.log10(size) + 1e-9)));
}

function powerOf(number) {
  let size = Math.abs(number), power = 0;
  while (size >= 1024 && power < SIZES.length - 1) { size /= 1024; power += 1; }
  return power;
}

function timeUnit(seconds) {
  return seconds === 0 ? TIMES[1] : TIMES.find(([, , least]) => seconds >= least);
}

function amount(number, unit) {
  if (!Number.isFinite(number)) return "–";
  if (unit === "bytes") {
    const power = powerOf(number);
    return power ? `${fixed(number / 1024 ** power, 1)} ${SIZES[power]}` : `${fixed(number, 0)} B`;
  }
  if (unit === "s") {
    const [second, name] = timeUnit(Math.abs(number));
    return `${digits(number / second)} ${name}`;
  }
  const whole = number === Math.round(number) ? fixed(number, 0) : digits(number);
  return `${whole} ${unit}`.trim();
}

// A time with so many digits that neighbours differ: 12.341 s where each bin is 2 ms.
function timeAmount(number, unit, step) {
  if (unit !== "s") return `${fixed(number, step < 1 ? 2 : 0)} ${unit}`;
  const [second, name] = timeUnit(Math.max(Math.abs(number), step));
  const decimals = Math.min(6, Math.max(0, -Math.floor(Math.log10(step / second / 2))));
  return `${fixed(number / second, decimals)} ${name}`;
}

function axisUnit(high, span, unit) {
  if (unit === "bytes") { const power = powerOf(high); return [1024 ** power, SIZES[power]]; }
  if (unit === "s") return timeUnit(span);
  if ((unit === "events" || unit === "objects" || unit === "") && high >= 1e4) {
    return high >= 1e6 ? [1e6, "M"] : [1e3, "k"];
  }
  return [1, unit === "ms" ? "ms" : ""];
}

function roundStep(rough) {
  if (!(rough > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(rough) + 1e-9);
  return power * [1, 2, 5, 10].find((m) => power * m >= rough * (1 - 1e-9));
}

function ticksOf(low, high, unit, number) {
  const [divisor, name] = axisUnit(Math.max(Math.abs(low), Math.abs(high)), high - low, unit);
  const step = roundStep((high - low) / divisor / Math.max(number, 1));
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const found = [];
  for (let i = Math.ceil(low / divisor / step - 1e-9); i <= Math.floor(high / divisor / step + 1e-9); i += 1) {
    const multiple = i * step + 0; // not -0
    const label = `${fixed(multiple, decimals)} ${name}`.trim();
    found.push([multiple * divisor, label === "0 k" || label === "0 M" ? "0" : label]);
  }
  return found;
}

function topOf(high, unit, number) {
  if (!(high > 0)) return 1;
  const [divisor] = axisUnit(high, high, unit);
  const step = roundStep(high / divisor / number);
  return Math.ceil(high / divisor / step - 1e-9) * step * divisor;
}
