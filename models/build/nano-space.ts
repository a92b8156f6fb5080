/** The space of the bundle: sentence vector first, then what words do not say, the layout of a picture. */
export const wordDims = 384;
export const layoutDims = 128;
export const spaceDims = wordDims + layoutDims;
