/** Public data sets that `cominfo data` fetches. The md5 sums are those published with the data. */

export interface PublicFile {
  readonly name: string;
  readonly bytes: number;
  readonly md5: string;
}

export interface PublicDataset {
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  /** Folders on the web that hold all files; the next is asked where one fails. Each ends in "/". */
  readonly mirrors: readonly string[];
  readonly files: readonly PublicFile[];
}

export const catalogue: readonly PublicDataset[] = [
  {
    name: "mnist",
    title: "MNIST handwritten digits: 60,000 training and 10,000 test images of 28x28 (LeCun, Cortes, Burges)",
    licence: "widely stated as CC BY-SA 3.0",
    mirrors: ["https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/"],
    files: [
      { name: "train-images-idx3-ubyte.gz", bytes: 9_912_422, md5: "f68b3c2dcbeaaa9fbdd348bbdeb94873" },
      { name: "train-labels-idx1-ubyte.gz", bytes: 28_881, md5: "d53e105ee54ea40749a09fcbcd1e9432" },
      { name: "t10k-images-idx3-ubyte.gz", bytes: 1_648_877, md5: "9fb629c4189551a2d022fa330f9573f3" },
      { name: "t10k-labels-idx1-ubyte.gz", bytes: 4_542, md5: "ec29112dd5afa0611ce80d1b7f02629c" },
    ],
  },
];
