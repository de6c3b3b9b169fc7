/** What a start form asks of a data set, fitted to what the set has. Pure. */

const FEWEST = 10; // Images that are trained on, and images that are held out: the least that a configuration allows.

/**
 * wanted: {imageSize, train, heldOut}, numbers or what was typed instead; there: {title, imageSize, train} of a set.
 * Returns numbers that the set can give and sentences on what had to change. Train and held-out images keep their
 * shares. What is no number stays as it is.
 */
export function fitted(wanted, there) {
  const said = [];
  let { imageSize, train, heldOut } = wanted;
  if (imageSize > there.imageSize) {
    said.push(`The images of “${there.title}” have ${count(there.imageSize)} pixels, so the image size is ${count(there.imageSize)}.`);
    imageSize = there.imageSize;
  }
  const sum = train + heldOut;
  if (sum > there.train && there.train >= 2 * FEWEST) {
    heldOut = Math.min(there.train - FEWEST, Math.max(FEWEST, Math.round((there.train * heldOut) / sum)));
    train = there.train - heldOut;
    said.push(
      `“${there.title}” has ${count(there.train)} training images, ${count(sum)} were asked for: now ` +
        `${count(train)} are trained on and ${count(heldOut)} held out.`,
    );
  }
  return { imageSize, train, heldOut, said };
}

function count(number) {
  return number.toLocaleString("en");
}
