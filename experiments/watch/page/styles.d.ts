// A style that a module of the page imports goes into the page's one style sheet (see .config/bundle.mjs).
declare module '*.css';
