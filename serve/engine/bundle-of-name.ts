import { HttpError } from "../http-error.ts";
import type { BundleFiles, RepositoryFolder } from "./bundle-files.ts";
import { unknownModel } from "./directory.ts";

/** What is known of a bundle without its folder: undefined for one that has never been seen. */
export type LoadedFiles = (bundle: string) => { readonly served: BundleFiles | undefined } | undefined;

/**
 * The bundle that a load or an unload means, which name it or one of its models.
 *
 * @throws HttpError 404 for a bundle that is neither served nor in the folder, and for a model that the bundle has not
 */
export async function bundleOfName(
  name: string,
  { folder, loaded }: { folder: RepositoryFolder; loaded: LoadedFiles },
): Promise<string> {
  const bundle = loaded(name) !== undefined ? name : (name.split(".")[0] ?? name);
  // Compared with the names in the folder, never joined to a path: "../other" is not one of them.
  if (loaded(bundle) === undefined && !(await folder.list()).includes(bundle)) {
    throw new HttpError(`Cannot find bundle "${bundle}": it is not in the repository`, {
      status: 404,
      code: "unknown_model",
    });
  }
  if (name === bundle) return bundle;
  // A model that is not there must not move the whole bundle.
  const served = loaded(bundle)?.served;
  if (served !== undefined && namesOf(bundle, served).includes(name)) return bundle;
  // Those that lie in the folder may be others. Of a bundle that cannot be read nobody knows; a load says why.
  const there = await folder.read(bundle).catch(() => undefined);
  const known = there ?? served;
  if (known !== undefined && !namesOf(bundle, known).includes(name)) throw unknownModel(name, namesOf(bundle, known));
  return bundle;
}

function namesOf(bundle: string, { tasks }: BundleFiles): string[] {
  return tasks.map(({ task }) => `${bundle}.${task}`);
}
