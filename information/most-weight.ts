/**
 * Largest weight of a Lagrangian form, bits a bit. A rounding error of 1e-16 bits costs 1e-4 bits there, and more would
 * drown the figures; where the constraint is to hold exactly it does so far below.
 */
export const mostWeight = 1e12;
