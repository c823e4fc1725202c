// How the book is searched, for the index and for the page alike.

const without = new Set(
  'a an and are as at be by do does for from how i in is it its my not of on or that the this to what when where which why with you'.split(
    ' ',
  ),
);

/** Endings that tell no two words apart here: differs and differ, losses and loss, adding and add. */
const stem = (word) =>
  word.length > 5 ? word.replace(/(sses)$/, 'ss').replace(/(ing|ed|s)$/, (end) => (/ss$/.test(word) ? end : '')) : word;

export const searchOptions = {
  fields: ['heading', 'chapter', 'text'],
  storeFields: ['heading', 'chapter', 'text'],
  // Names are found whole and by their parts: UseAfterFreeError by `use after free`.
  processTerm: (term) => {
    const parts = term.match(/^[a-z]+(?=[A-Z])|[A-Z][a-z]+/g) ?? [];
    const words = [term, ...(parts.length > 1 ? parts : [])].map((word) => word.toLowerCase());
    return words.filter((word) => !without.has(word)).map(stem);
  },
  searchOptions: {
    boost: { heading: 4, chapter: 2 },
    prefix: (term) => term.length > 2,
    fuzzy: (term) => (term.length > 5 ? 0.15 : false),
    // Contents and tables of numbers: what they lead to, and what explains them, comes first.
    boostDocument: (id) => (/^(results\/|index|papers\/index)/.test(id) ? 0.4 : 1),
  },
};
