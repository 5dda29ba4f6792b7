import { h, svg } from "../element.ts";

export interface Line {
  readonly name: string;
  /** Class that colours it. */
  readonly block: string;
  /** One a step. */
  readonly values: readonly number[];
}

const width = 480;
const height = 180;
const most = 240; // points drawn of one line

/** Lines over steps; with `log` the height is the logarithm, for losses that fall by powers of ten. */
export function lineChart(title: string, { unit, log }: { unit: string; log: boolean }) {
  const paths = svg("g", {});
  const high = svg("text", { x: 4, y: 12 });
  const low = svg("text", { x: 4, y: height - 4 });
  const end = svg("text", { x: width - 4, y: height - 4, "text-anchor": "end" });
  const picture = svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title },
    paths,
    high,
    low,
    end,
  );
  const legend = h("div", { class: "legend" });
  const root = h("figure", { class: "chart" }, h("h2", {}, title, h("small", {}, unit)), picture, legend);
  return {
    root,
    show(lines: readonly Line[]): void {
      const steps = Math.max(2, ...lines.map(({ values }) => values.length));
      const all = lines.flatMap(({ values }) => thinned(values).map(([, value]) => value));
      if (all.length === 0) return;
      const scale = (value: number): number => (log ? Math.log(Math.max(value, 1e-6)) : value);
      const bottom = log ? Math.min(...all) : Math.min(0, ...all);
      const top = Math.max(...all, bottom + 1e-6);
      const y = (value: number): number =>
        height - 20 - ((height - 36) * (scale(value) - scale(bottom))) / (scale(top) - scale(bottom));
      paths.replaceChildren(
        ...lines.map(({ values, block }) => {
          const points = thinned(values).map(
            ([at, value]) => `${((width * at) / (steps - 1)).toFixed(1)},${y(value).toFixed(1)}`,
          );
          return svg("polyline", { points: points.join(" "), class: block });
        }),
      );
      high.textContent = top.toPrecision(3);
      low.textContent = bottom.toPrecision(3);
      end.textContent = `step ${steps}`;
      legend.replaceChildren(
        ...lines.map(({ name, block, values }) =>
          h("span", { class: block }, h("i", {}), `${name} ${values.at(-1)?.toFixed(1) ?? ""}`),
        ),
      );
    },
  };
}

/** At most `most` points, each the mean of its stretch. */
function thinned(values: readonly number[]): (readonly [number, number])[] {
  const stretch = Math.max(1, Math.ceil(values.length / most));
  const points: (readonly [number, number])[] = [];
  for (let from = 0; from < values.length; from += stretch) {
    const part = values.slice(from, from + stretch);
    points.push([from + (part.length - 1) / 2, part.reduce((sum, value) => sum + value, 0) / part.length]);
  }
  return points;
}
