/** Corner of a stroke in the box of a digit: x to the right and y down, both 0 to 1. */
export type Point = readonly [x: number, y: number];
type Stroke = readonly Point[];

/** Part of an ellipse, in degrees clockwise from the right. */
function arc([x, y]: Point, [rx, ry]: Point, [from, to]: readonly [number, number]): Stroke {
  const steps = Math.ceil(Math.abs(to - from) / 30);
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = ((from + ((to - from) * i) / steps) * Math.PI) / 180;
    return [x + rx * Math.cos(angle), y + ry * Math.sin(angle)] as const;
  });
}

/** The strokes of 0 to 9. */
export const digitStrokes: readonly (readonly Stroke[])[] = [
  [arc([0.5, 0.5], [0.42, 0.5], [0, 360])],
  [
    [
      [0.3, 0.2],
      [0.55, 0],
      [0.55, 1],
    ],
  ],
  [[...arc([0.5, 0.28], [0.38, 0.28], [190, 390]), [0.1, 1], [0.9, 1]]],
  [[...arc([0.46, 0.25], [0.38, 0.25], [200, 450]), ...arc([0.46, 0.75], [0.42, 0.25], [-90, 160])]],
  [
    [
      [0.66, 1],
      [0.66, 0],
      [0.06, 0.68],
      [0.94, 0.68],
    ],
  ],
  [[[0.86, 0], [0.24, 0], [0.2, 0.44], ...arc([0.46, 0.69], [0.42, 0.31], [230, 510])]],
  [
    [
      [0.72, 0],
      [0.4, 0.22],
      [0.16, 0.52],
      [0.1, 0.7],
    ],
    arc([0.5, 0.7], [0.4, 0.3], [0, 360]),
  ],
  [
    [
      [0.08, 0],
      [0.92, 0],
      [0.4, 1],
    ],
  ],
  [arc([0.5, 0.24], [0.33, 0.24], [0, 360]), arc([0.5, 0.74], [0.4, 0.26], [0, 360])],
  [
    arc([0.5, 0.3], [0.38, 0.3], [0, 360]),
    [
      [0.88, 0.3],
      [0.84, 0.58],
      [0.6, 1],
    ],
  ],
];
