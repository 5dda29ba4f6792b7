/** All values of an ONNX graph share one space of names: those of a user come first, ours go where there is room. */

/** `<stem>_<n>` with the first n from `from` on that is not taken yet; it is taken then. */
export function freshName(taken: Set<string>, stem: string, from: number): string {
  let n = from;
  while (taken.has(`${stem}_${n}`)) n++;
  const name = `${stem}_${n}`;
  taken.add(name);
  return name;
}

/** `name` itself, or with a number if it is taken; what is returned is taken then. */
export function nameOrFresh(taken: Set<string>, name: string): string {
  if (taken.has(name)) return freshName(taken, name, 1);
  taken.add(name);
  return name;
}
