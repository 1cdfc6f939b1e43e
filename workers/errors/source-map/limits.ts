/** Every bound of source maps and of their seekable form, with its reason. */

/** Of JSON: V8 makes no string of more than 512 MB, and text, parsed parts and the seekable form lie in memory together (about five times this). */
export const MAX_SOURCE_MAP_BYTES = 256 * 1024 * 1024;
/** Lines, columns and indexes are signed 32-bit numbers in a map; V8 has no longer source text. */
export const MAX_POSITION = 0x7fffffff;
/** Beyond this a map says more than a bundle that Workers accept can hold. */
export const MAX_MAPPINGS = 64_000_000;
export const MAX_SOURCES = 500_000;
/** Sections of an index map, nested ones counted. */
export const MAX_SECTIONS = 100_000;
/** Index maps within index maps: bundles of bundles of bundles. An object that holds itself ends here. */
export const MAX_SECTION_DEPTH = 5;
/** A line whose mappings are not in order is sorted in memory: 24 bytes each. */
export const MAX_UNSORTED_LINE = 8_000_000;
/** A broken map is mostly broken everywhere. */
export const MAX_PROBLEMS = 10;

/** Compresses to about 4.5 KB; twice as many save 6 %, half as many cost 9 %. */
export const BLOCK_MAPPINGS = 2048;
/** What is decoded for a frame: about a microsecond's work. */
export const GROUP_MAPPINGS = 64;
/** Function boundaries of a block, so that code without mappings between them does not make a huge one. */
export const BLOCK_BOUNDARIES = 8192;
/** Entries of an index page: about 2 KB. */
export const PAGE_ENTRIES = 256;
/** A page of the table of sources is closed at so many sources or pieces of content. */
export const PAGE_SOURCES = 64;
export const PAGE_PIECES = 4096;
/** Text of a chunk of source content before compression: four times as much compresses 10 % better and takes four times as long to read. */
export const CHUNK_BYTES = 16 * 1024;
/** Longer lines of source content are cut: nobody reads on, and the original map is kept as well. */
export const MAX_LINE_CHARS = 1000;
/** Lines of all sources whose beginnings are kept while a map is converted: 32 MB. Of sources beyond it the text is not looked at. */
export const MAX_TEXT_LINES = 8_000_000;
/** Names in minified code are short; a "name" of a megabyte is none. */
export const MAX_NAME_CHARS = 256;
export const MAX_PATH_CHARS = 1024;

/** What opening reads: header, roots, and the index pages of some 3,000 blocks (6 million mappings). */
export const HEAD_BYTES = 16 * 1024;
/** Offsets are 32-bit. */
export const MAX_SEEKABLE_BYTES = 0x7fffffff;
/** No writer makes a larger one, whatever the length of its names and paths: (2,048 + 8,192) texts of 256 characters and 2,048 paths of 1,024. */
export const MAX_BLOCK_BYTES = 16 * 1024 * 1024;
/** Of blocks that one stack takes, unpacked: 250 frames that are all in different ones of 60 KB take half. */
export const MAX_STACK_BYTES = 32 * 1024 * 1024;
/** Of a chunk of content, unpacked: CHUNK_BYTES and one line more, at three bytes a character, and the lengths of its lines. */
export const MAX_CHUNK_BYTES = 128 * 1024;
/** MAX_MAPPINGS / BLOCK_MAPPINGS / PAGE_ENTRIES, with room for blocks that boundaries closed early. */
export const MAX_INDEX_PAGES = 4096;
/** Lines on either side that a caller may ask for. */
export const MAX_CONTEXT_RADIUS = 50;
