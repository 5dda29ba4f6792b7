import type { Manifest } from "../../schemas/manifest.ts";
import type { SourceDescription } from "./pair-source.ts";

/** What results and bundles keep of a source's description. */
export function describedData(description: SourceDescription): Manifest["data"] {
  const { name, summary, factors, commonInformationBits, mutualInformationBits, provenance } = description;
  return {
    name,
    summary,
    factors: factors.map(({ name, size, role }) => ({ name, size, role })),
    ...(commonInformationBits === undefined ? {} : { commonInformationBits }),
    ...(mutualInformationBits === undefined ? {} : { mutualInformationBits }),
    provenance: { ...provenance },
  };
}
