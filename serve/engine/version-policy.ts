import type { TaskManifest } from "../../schemas/manifest.ts";
import type { VersionPolicy } from "../../schemas/serve-config.ts";

/**
 * The versions of a task that are served, lowest first. The highest answers requests that name none.
 *
 * @param versions all that the bundle holds
 */
export function servedVersions<T extends Pick<TaskManifest, "version">>(
  versions: readonly T[],
  policy: VersionPolicy,
): T[] {
  const ascending = [...versions].sort((one, other) => Number(one.version) - Number(other.version));
  if (policy === "all") return ascending;
  if ("latest" in policy) return ascending.slice(-policy.latest);
  return ascending.filter(({ version }) => policy.specific.includes(version));
}
