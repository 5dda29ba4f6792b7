import { type Hdf5Data, type Hdf5File, loadHdf5 } from "../../../files/hdf5.ts";
import { FailureError } from "../../../schemas/errors.ts";
import type { Table, TableColumn, Values } from "./table.ts";

interface Hdf5Column extends TableColumn {
  read(first: number, end: number): Values;
}

/**
 * An HDF5 file: datasets are columns, called by their paths, where their first axis is the row. In an AnnData file
 * (`.h5ad`) rows are the observations, and a CSR matrix (`X`, a layer) is a column that becomes dense block by block.
 */
export async function openHdf5Table(file: string): Promise<Table> {
  const reader = await loadHdf5();
  const handle = reader.open(file);
  const sparse = handle.groups.flatMap((group) => sparseColumn(handle, group, file));
  const index = observationIndex(handle);
  const all = [...sparse, ...handle.names.flatMap((name) => datasetColumn(handle, name))];
  const rowsOf = (column: Hdf5Column & { rows: number }): number => column.rows;
  const named = all.find(({ name }) => name === index) ?? sparse[0];
  const rows = named === undefined ? Math.max(0, ...all.map(rowsOf)) : rowsOf(named);
  const columns = all.filter((column) => column.rows === rows);
  return {
    label: file,
    rows,
    columns,
    idColumn: columns.some(({ name }) => name === index) ? index : undefined,
    uniqueIds: false,
    gaps: false,
    read: async (names, first, end) => names.map((name) => columns.find((c) => c.name === name)!.read(first, end)),
    close: async () => handle.close(),
  };
}

/** The dataset that names the observations of an AnnData file: https://anndata.readthedocs.io, "On-disk format". */
function observationIndex(handle: Hdf5File): string | undefined {
  if (!handle.groups.includes("obs")) return undefined;
  const name = handle.attribute("obs", "_index");
  return `obs/${typeof name === "string" ? name : "_index"}`;
}

function datasetColumn(handle: Hdf5File, name: string): (Hdf5Column & { rows: number })[] {
  const dataset = handle.dataset(name);
  const [rows, ...shape] = dataset.shape;
  if (rows === undefined) return [];
  return [
    {
      name,
      rows,
      shape: dataset.text ? undefined : shape,
      integer: false,
      read: (first, end) =>
        dataset.text
          ? { kind: "cells", cells: dataset.texts(first, end) }
          : { kind: "dense", shape, data: dataset.rows(first, end) },
    },
  ];
}

function sparseColumn(handle: Hdf5File, group: string, file: string): (Hdf5Column & { rows: number })[] {
  const encoding = handle.attribute(group, "encoding-type");
  if (encoding !== "csr_matrix" && encoding !== "csc_matrix") return [];
  const size = handle.attribute(group, "shape") as ArrayLike<number | bigint>;
  const [rows, width] = [Number(size[0]), Number(size[1])];
  const [pointers, indices, data] = ["indptr", "indices", "data"].map((part) => handle.dataset(`${group}/${part}`));
  return [
    {
      name: group,
      rows,
      shape: [width],
      integer: false,
      read(first, end) {
        if (encoding === "csc_matrix") {
          throw new FailureError(`Cannot score "${file}": "${group}" must be stored by rows (CSR), got CSC`, {
            code: "bad_data",
          });
        }
        const dense = new Float32Array((end - first) * width);
        const bounds = numbers(pointers!.rows(first, end + 1));
        const [from, to] = [bounds[0]!, bounds.at(-1)!];
        if (to > from) {
          const columns = numbers(indices!.rows(from, to));
          const values = numbers(data!.rows(from, to));
          for (let row = 0; row < end - first; row++) {
            for (let at = bounds[row]! - from; at < bounds[row + 1]! - from; at++) {
              dense[row * width + columns[at]!]! += values[at]!; // a place may be given twice: SciPy adds
            }
          }
        }
        return { kind: "dense", shape: [width], data: dense };
      },
    },
  ];
}

function numbers(data: Hdf5Data): Float64Array {
  return Float64Array.from(data as ArrayLike<number>, Number);
}
