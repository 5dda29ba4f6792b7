/**
 * The room of the 3dshapes-like images: floor, two walls that meet in a corner, and one object standing before it.
 * The camera walks around the object by the orientation, so room and object turn together, as in 3dshapes
 * (Burgess & Kim 2018, https://github.com/google-deepmind/3d-shapes). Ray-cast; lengths in units of the room.
 */

export const SHAPES3D_SIZES = {
  floor_hue: 10,
  wall_hue: 10,
  object_hue: 10,
  scale: 8,
  shape: 4,
  orientation: 15,
} as const;

/** Factor indices of what is in the room, colours aside, each 0 .. size - 1; shapes are cube, cylinder, sphere, capsule. */
export interface Scene {
  readonly scale: number;
  readonly shape: number;
  readonly orientation: number;
}

export const REGIONS = { floor: 0, wall: 1, object: 2 } as const;

/** What one ray sees. */
export interface Sight {
  readonly region: 0 | 1 | 2;
  /** Brightness of the place, 0 .. 1: its colour is this times the hue of its region. */
  readonly shade: number;
  /** Differs on the two sides of every edge: between regions, walls, and faces of the object. */
  readonly face: number;
}

/** What the camera sees through (right, up), both -1 .. 1 within the picture. */
export type Look = (right: number, up: number) => Sight;

type Vector = readonly [x: number, y: number, z: number];

interface Hit {
  readonly distance: number;
  readonly normal: Vector;
  readonly face: number;
}

/** Upright body of scale 1 whose foot is the origin. */
interface Body {
  /** Radius of its shadow. */
  readonly foot: number;
  /** Ball that holds it: height of the middle, radius. Most rays miss it and need no further look. */
  readonly ball: readonly [height: number, radius: number];
  /** Nearest place that a ray meets. */
  meet(from: Vector, along: Vector): Hit | undefined;
}

const WALL = 3.2; // distance of each wall from the middle of the object
const EYE = { away: 7.2, height: 4.1, towards: 1.05, zoom: 0.36 } as const; // zoom: half a picture at distance 1
const LIGHT: Vector = [-4.6, -1.6, 6];
const AMBIENT = 0.32;
const STEP_DEGREES = 60 / (SHAPES3D_SIZES.orientation - 1);

const BODIES: readonly Body[] = [
  { foot: 1.1, ball: [0.95, 1.65], meet: (from, along) => meetBox(from, along, 0.95, 1.9) },
  {
    foot: 1,
    ball: [1.05, 1.46],
    meet: (from, along) => nearer(meetSide(from, along, 1, 0, 2.1), meetLid(from, along, 1, 2.1)),
  },
  { foot: 0.75, ball: [1.2, 1.21], meet: (from, along) => meetBall(from, along, 1.2, 1.2) },
  {
    foot: 0.6,
    ball: [1.365, 1.37],
    meet: (from, along) =>
      nearer(
        meetSide(from, along, 0.78, 0.78, 1.95),
        nearer(meetBall(from, along, 0.78, 0.78), meetBall(from, along, 0.78, 1.95)),
      ),
  },
];

/** Camera at the orientation (-30 to 30 degrees) before a body of the shape and scale (0.75 to 1.25). */
export function lookInto({ scale, shape, orientation }: Scene): Look {
  const size = 0.75 + (0.5 * scale) / (SHAPES3D_SIZES.scale - 1);
  const body = BODIES[shape]!;
  const turn = ((45 + STEP_DEGREES * orientation - 30) * Math.PI) / 180; // 45 degrees: straight into the corner
  const eye: Vector = [-EYE.away * Math.cos(turn), -EYE.away * Math.sin(turn), EYE.height];
  const ahead = unit([-eye[0], -eye[1], EYE.towards - eye[2]]);
  const right: Vector = [Math.sin(turn), -Math.cos(turn), 0];
  const up = cross(right, ahead);
  const near: Vector = [eye[0] / size, eye[1] / size, eye[2] / size];

  return function look(x, y) {
    const [a, b] = [x * EYE.zoom, y * EYE.zoom];
    const along: Vector = [
      ahead[0] + a * right[0] + b * up[0],
      ahead[1] + a * right[1] + b * up[1],
      ahead[2] + a * right[2] + b * up[2],
    ];
    const hit = misses(near, along, body.ball) ? undefined : body.meet(near, along);
    if (hit !== undefined) {
      const place = at(eye, along, hit.distance * size);
      return { region: REGIONS.object, shade: lit(place, hit.normal), face: 3 + hit.face };
    }
    return seeRoom(eye, along, body.foot * size);
  };
}

function misses(from: Vector, along: Vector, [height, radius]: readonly [number, number]): boolean {
  const down = from[2] - height;
  const ahead = from[0] * along[0] + from[1] * along[1] + down * along[2];
  const away = from[0] ** 2 + from[1] ** 2 + down ** 2;
  return ahead * ahead < dot(along, along) * (away - radius * radius);
}

/** The room is convex: the nearest of its planes ahead is the one seen. */
function seeRoom(eye: Vector, along: Vector, foot: number): Sight {
  const toFloor = along[2] < 0 ? -eye[2] / along[2] : Number.POSITIVE_INFINITY;
  const toFirst = along[0] > 0 ? (WALL - eye[0]) / along[0] : Number.POSITIVE_INFINITY;
  const toSecond = along[1] > 0 ? (WALL - eye[1]) / along[1] : Number.POSITIVE_INFINITY;
  const nearest = Math.min(toFloor, toFirst, toSecond);
  const place = at(eye, along, nearest);
  if (nearest === toFloor) {
    const away = (place[0] ** 2 + place[1] ** 2) / (foot * foot);
    const shadow = 1 - 0.55 * Math.exp(-0.7 * away); // of the object on the floor around it
    return { region: REGIONS.floor, shade: shadow * lit(place, [0, 0, 1]), face: 0 };
  }
  return nearest === toFirst
    ? { region: REGIONS.wall, shade: lit(place, [-1, 0, 0]), face: 1 }
    : { region: REGIONS.wall, shade: lit(place, [0, -1, 0]), face: 2 };
}

/** Lambert's law from one lamp, and light from everywhere. */
function lit(place: Vector, normal: Vector): number {
  const towards = unit([LIGHT[0] - place[0], LIGHT[1] - place[1], LIGHT[2] - place[2]]);
  return AMBIENT + (1 - AMBIENT) * Math.max(0, dot(towards, normal));
}

/** Upright box on the floor: `half` from its middle to each side. Its bottom is never seen. */
function meetBox(from: Vector, along: Vector, half: number, height: number): Hit | undefined {
  let best: Hit | undefined;
  for (const axis of [0, 1, 2] as const) {
    const side = along[axis] > 0 ? -1 : 1;
    const plane = axis === 2 ? height : side * half;
    if (axis === 2 && side < 0) continue;
    const distance = (plane - from[axis]) / along[axis];
    const [x, y, z] = at(from, along, distance);
    const inside =
      (axis === 0 || Math.abs(x) <= half) &&
      (axis === 1 || Math.abs(y) <= half) &&
      (axis === 2 || (z >= 0 && z <= height));
    if (!inside || distance <= 0) continue;
    const normal: Vector = [axis === 0 ? side : 0, axis === 1 ? side : 0, axis === 2 ? 1 : 0];
    best = nearer(best, { distance, normal, face: axis });
  }
  return best;
}

/** Outside of an upright tube around the middle, between two heights. */
function meetSide(from: Vector, along: Vector, radius: number, low: number, high: number): Hit | undefined {
  const distance = firstRoot(
    along[0] ** 2 + along[1] ** 2,
    from[0] * along[0] + from[1] * along[1],
    from[0] ** 2 + from[1] ** 2 - radius ** 2,
  );
  const [x, y, z] = at(from, along, distance);
  if (!(z >= low && z <= high)) return undefined;
  return { distance, normal: [x / radius, y / radius, 0], face: 0 };
}

function meetLid(from: Vector, along: Vector, radius: number, height: number): Hit | undefined {
  const distance = (height - from[2]) / along[2];
  const [x, y] = at(from, along, distance);
  if (!(distance > 0 && x * x + y * y <= radius * radius)) return undefined;
  return { distance, normal: [0, 0, 1], face: 2 };
}

function meetBall(from: Vector, along: Vector, radius: number, height: number): Hit | undefined {
  const down = from[2] - height;
  const distance = firstRoot(
    along[0] ** 2 + along[1] ** 2 + along[2] ** 2,
    from[0] * along[0] + from[1] * along[1] + down * along[2],
    from[0] ** 2 + from[1] ** 2 + down ** 2 - radius ** 2,
  );
  if (Number.isNaN(distance)) return undefined;
  const [x, y, z] = at(from, along, distance);
  return { distance, normal: [x / radius, y / radius, (z - height) / radius], face: 0 };
}

/** Smaller solution of a t^2 + 2 b t + c = 0, NaN if there is none. The eye is outside of every body, so t > 0. */
function firstRoot(a: number, b: number, c: number): number {
  return (-b - Math.sqrt(b * b - a * c)) / a;
}

function nearer(first: Hit | undefined, second: Hit | undefined): Hit | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return second.distance < first.distance ? second : first;
}

function at(from: Vector, along: Vector, distance: number): Vector {
  return [from[0] + along[0] * distance, from[1] + along[1] * distance, from[2] + along[2] * distance];
}

function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function unit(vector: Vector): Vector {
  const length = Math.sqrt(dot(vector, vector));
  return [vector[0] / length, vector[1] / length, vector[2] / length];
}
