/** Nats to bits: 1 / ln 2 = 1.442695. (The authors of the GK-VAE and RINE papers multiply by 1.44.) */
export const bitsPerNat = 1 / Math.LN2;
