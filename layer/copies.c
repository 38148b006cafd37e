// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "copies_internal.h"
#include "line.h"
#include "pages.h"

#define MAX_ATOM	256
#define GENTLE_GRAIN	4
#define BIRTH		0xa7		/* where the kernel does not tell what is written to */

/* Bytes of memory that begin as zeros and cost nothing before they are used. */
static void *zeros(u64 size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return map == MAP_FAILED ? NULL : map;
}

static void release(void *map, u64 size)
{
	if (map)
		munmap(map, size);
}

static u64 atom_bits_size(const struct gsl_copies *copies)
{
	return copies->mapped / copies->atom / 8 + sizeof(u64);
}

/* Two views of one file without a name: @app is aligned as the device's limits say. */
static bool map_views(struct gsl_copies *copies, u64 align)
{
	u64 extra = align > copies->page ? align : 0;
	int fd = memfd_create("gemsync-copies", MFD_CLOEXEC);
	void *app = MAP_FAILED, *cache = MAP_FAILED;

	if (fd < 0)
		return false;
	copies->app_reserved = copies->mapped + extra;
	copies->reserved = zeros(copies->app_reserved);
	if (copies->reserved && !ftruncate(fd, (off_t)copies->mapped)) {
		u64 place = ((uintptr_t)copies->reserved + extra) & ~((extra ? extra : 1) - 1);

		app = mmap((void *)(uintptr_t)place, copies->mapped, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_FIXED, fd, 0);
		cache = mmap(NULL, copies->mapped, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	}
	close(fd);
	copies->app = app == MAP_FAILED ? NULL : app;
	copies->cache = cache == MAP_FAILED ? NULL : cache;
	return copies->app && copies->cache;
}

struct gsl_copies *gsl_copies_create(void *mem, u64 size, u32 atom, u64 align, u32 flags)
{
	struct gsl_copies *copies = calloc(1, sizeof(*copies));

	if (!copies)
		return NULL;
	pthread_mutex_init(&copies->lock, NULL);
	copies->page = (u64)sysconf(_SC_PAGESIZE);
	copies->mem = mem;
	copies->size = size;
	copies->atom = atom;
	copies->grain = flags & GSL_COPIES_GENTLE ? GENTLE_GRAIN : atom;
	copies->mapped = (size + copies->page - 1) & ~(copies->page - 1);
	copies->base = zeros(copies->mapped);
	copies->touched = zeros(atom_bits_size(copies));
	copies->changed = zeros(copies->mapped / copies->page);
	copies->guards = zeros(copies->mapped / copies->page);
	copies->moved = zeros(atom_bits_size(copies));
	if (!map_views(copies, align) || !copies->base || !copies->touched ||
	    !copies->changed || !copies->guards || !copies->moved) {
		gsl_copies_destroy(copies);
		return NULL;
	}
	copies->watched = flags & GSL_COPIES_WATCH &&
			  !gsl_written_watch(copies->app, copies->mapped);
	if (!copies->watched) {
		memset(copies->cache, BIRTH, copies->mapped);
		memset(copies->base, BIRTH, copies->mapped);
	}
	return copies;
}

void gsl_copies_destroy(struct gsl_copies *copies)
{
	if (!copies)
		return;
	if (copies->watched)
		gsl_pages_forget(copies->app, copies->mapped);
	release(copies->reserved, copies->app_reserved);
	release(copies->cache, copies->mapped);
	release(copies->base, copies->mapped);
	release(copies->touched, atom_bits_size(copies));
	release(copies->changed, copies->mapped / copies->page);
	release(copies->guards, copies->mapped / copies->page);
	release(copies->moved, atom_bits_size(copies));
	pthread_mutex_destroy(&copies->lock);
	free(copies);
}

void *gsl_copies_address(const struct gsl_copies *copies)
{
	return copies->app;
}

bool gsl_copies_are_watched(const struct gsl_copies *copies)
{
	return copies->watched;
}

/* ---- Pages that were written to ---- */

static void set_known(struct gsl_copies *copies, u64 atom)
{
	copies->moved[atom / 64] |= 1ull << atom % 64;
}

static void set_moved(struct gsl_copies *copies, u64 atom)
{
	copies->touched[atom / 64] &= ~(1ull << atom % 64);
	set_known(copies, atom);
}

/* Ask the kernel about the pages of a range. Where it cannot tell, all may have changed. */
static void look_at(struct gsl_copies *copies, u64 offset, u64 end)
{
	u64 start, next;

	end = gsl_page_up(copies, end);
	for (start = gsl_page_down(copies, offset); start < end; start = next) {
		next = gsl_guard_end(copies, start, end);
		if (!copies->watched || copies->guards[start / copies->page] == GSL_GUARDED ||
		    gsl_copies_note_written(copies, start, next))
			gsl_copies_set_changed(copies, start, next);
	}
}

/* ---- Pieces of a range: windows of core's lines ---- */

/*
 * A piece is atoms of one page. The last atom of a memory may be longer than the memory: its
 * bytes of the driver's map are then worked on in a bounce buffer.
 */
struct piece {
	struct gs_lines lines;
	u64 offset;
	u64 bounce[MAX_ATOM / sizeof(u64)];
	u32 tail;	/* bytes that the bounce buffer stands for; 0: not used */
};

/* Bytes from an offset to the end of its page, or to @end. */
static u32 part_size(const struct gsl_copies *copies, u64 offset, u64 end)
{
	u64 next = (offset | (copies->page - 1)) + 1;

	return (u32)((next < end ? next : end) - offset);
}

/* The same, to the end of the piece that begins there. */
static u32 piece_size(const struct gsl_copies *copies, u64 offset, u64 end)
{
	u64 whole = copies->size & ~(u64)(copies->atom - 1);

	return part_size(copies, offset, offset < whole && end > whole ? whole : end);
}

/* Core's lines of an offset's page, or the part before @end, without the driver's map. */
static struct piece look_into(const struct gsl_copies *copies, u64 offset, u64 end)
{
	return (struct piece){
		.offset = offset,
		.lines = {
			.cache = (u64 *)(copies->cache + offset),
			.base = (u64 *)(copies->base + offset),
			.size = part_size(copies, offset, end),
			.line = copies->atom,
		},
	};
}

static void piece_open(const struct gsl_copies *copies, struct piece *piece, u64 offset, u64 end)
{
	u32 size = piece_size(copies, offset, end);

	piece->offset = offset;
	piece->lines = (struct gs_lines){
		.mem = (u64 *)(copies->mem + offset),
		.cache = (u64 *)(copies->cache + offset),
		.base = (u64 *)(copies->base + offset),
		.size = size,
		.line = copies->atom,
	};
	piece->tail = copies->size - offset < size ? (u32)(copies->size - offset) : 0;
	if (!piece->tail)
		return;
	memset(piece->bounce, 0, sizeof(piece->bounce));
	memcpy(piece->bounce, copies->mem + offset, piece->tail);
	piece->lines.mem = piece->bounce;
}

static void piece_write_tail(const struct gsl_copies *copies, const struct piece *piece)
{
	if (piece->tail)
		memcpy(copies->mem + piece->offset, piece->bounce, piece->tail);
}

static bool covers_page(const struct gsl_copies *copies, const struct piece *piece)
{
	u64 end = piece->offset + piece->lines.size;

	return !(piece->offset % copies->page) && (!(end % copies->page) || end >= copies->size);
}

static u64 atom_down(const struct gsl_copies *copies, u64 offset)
{
	return offset & ~(u64)(copies->atom - 1);
}

static u64 atom_up(const struct gsl_copies *copies, u64 end)
{
	return atom_down(copies, end + copies->atom - 1);
}

/* ---- Write-back ---- */

static bool is_gentle(const struct gsl_copies *copies)
{
	return copies->grain < copies->atom;
}

/* Make an atom unlike its base, so that core's lines take it for a stored one. */
static void mark_stored(const struct gsl_copies *copies, const struct piece *piece, u32 start)
{
	u32 i;

	for (i = start / sizeof(u64); i < (start + copies->atom) / sizeof(u64); i++)
		piece->lines.base[i] = ~gs_word_load(&piece->lines.cache[i]);
}

static u32 count_changed(const struct gsl_copies *copies, const struct piece *piece)
{
	u32 count = 0, start;

	for (start = 0; start < piece->lines.size; start += copies->atom)
		count += gs_lines_dirty(&piece->lines, start, copies->atom);
	return count;
}

/*
 * Whether an unchanged atom is moved all the same, as its page was written to. What was never
 * moved holds zeros for the host and anything for the device: there they are no old value.
 */
static bool moves_unchanged(const struct gsl_copies *copies, u64 atom, bool any_changed,
			    enum gsl_device_writes device)
{
	if (copies->watched && !gsl_atom_is_touched(copies, atom))
		return false;
	if (device == GSL_WROTE_NOT)
		return true;
	if (!copies->watched)
		return false;
	if (!gsl_atom_is_moved(copies, atom))
		return device == GSL_WROTE_UNKNOWN || !any_changed;
	return !any_changed && !is_gentle(copies);
}

static void mark_unchanged(const struct gsl_copies *copies, const struct piece *piece,
			   bool any_changed, enum gsl_device_writes device)
{
	u32 start;

	for (start = 0; start < piece->lines.size; start += copies->atom) {
		if (!gs_lines_dirty(&piece->lines, start, copies->atom) &&
		    moves_unchanged(copies, (piece->offset + start) / copies->atom, any_changed,
				    device))
			mark_stored(copies, piece, start);
	}
}

static void write_back(const struct gsl_copies *copies, struct piece *piece)
{
	u32 start;

	for (start = 0; start < piece->lines.size; start += copies->atom) {
		if (gsl_atom_is_moved(copies, (piece->offset + start) / copies->atom))
			piece->lines.line = copies->grain;
		gs_lines_clean(&piece->lines, start, copies->atom);
		piece->lines.line = copies->atom;
	}
	piece_write_tail(copies, piece);
}

static u32 count_touched(const struct gsl_copies *copies, const struct piece *piece)
{
	u64 atom = piece->offset / copies->atom;
	u32 count = 0, i;

	for (i = 0; i < piece->lines.size / copies->atom; i++)
		count += gsl_atom_is_touched(copies, atom + i);
	return count;
}

static void set_clean(struct gsl_copies *copies, const struct piece *piece)
{
	u64 atom = piece->offset / copies->atom;
	u32 i;

	for (i = 0; i < piece->lines.size / copies->atom; i++)
		set_moved(copies, atom + i);
	if (covers_page(copies, piece))
		copies->changed[piece->offset / copies->page] = 0;
}

/* Who wants to know what a write-back does wrong. */
struct clashes {
	gsl_clash report;
	void *ctx;
	u64 offset;	/* of the piece */
};

static void report_clash(void *ctx, const struct gs_violation *violation)
{
	struct clashes *clashes = ctx;

	clashes->report(clashes->ctx, violation->kind, clashes->offset + violation->offset,
			violation->size);
}

static void flush_piece(struct gsl_copies *copies, struct piece *piece, bool any_changed,
			enum gsl_device_writes device, struct clashes *clashes,
			struct gsl_moved *moved)
{
	u32 touched = copies->watched ? count_touched(copies, piece) : 0;
	u32 changed = count_changed(copies, piece);

	clashes->offset = piece->offset;
	if (changed && clashes->report)
		gs_violations_of_clean(&piece->lines, 0, piece->lines.size, report_clash, clashes);
	mark_unchanged(copies, piece, any_changed, device);
	write_back(copies, piece);
	set_clean(copies, piece);
	moved->changed += changed;
	moved->unwritten -= touched > changed ? touched : changed;
}

/* The first offset from one on whose page may have changed; @end if there is none. */
static u64 skip_unchanged(const struct gsl_copies *copies, u64 offset, u64 end)
{
	u64 page = offset / copies->page;
	const u8 *from = copies->changed + page, *found;

	if (offset >= end)
		return end;
	if (*from)
		return offset;
	found = memchr(from, 1, (end - 1) / copies->page - page + 1);
	return found ? (page + (u64)(found - from)) * copies->page : end;
}

struct gsl_moved gsl_copies_flush(struct gsl_copies *copies, u64 offset, u64 size,
				  enum gsl_device_writes device, gsl_clash clash, void *ctx)
{
	u64 end = atom_up(copies, offset + size);
	struct clashes clashes = { .report = clash, .ctx = ctx };
	struct gsl_moved moved = { 0 };
	u64 page = UINT64_MAX;
	bool any_changed = false;
	struct piece piece;

	pthread_mutex_lock(&copies->lock);
	look_at(copies, offset, offset + size);
	offset = atom_down(copies, offset);
	gsl_copies_take_for_stores(copies, offset, end);
	moved.atoms = moved.unwritten = (end - offset) / copies->atom;
	for (offset = skip_unchanged(copies, offset, end); offset < end;
	     offset = skip_unchanged(copies, offset + piece.lines.size, end)) {
		/* The last page may be two pieces. */
		if (offset / copies->page != page) {
			piece = look_into(copies, offset, end);
			any_changed = gs_lines_dirty(&piece.lines, 0, piece.lines.size);
			page = offset / copies->page;
		}
		piece_open(copies, &piece, offset, end);
		flush_piece(copies, &piece, any_changed, device, &clashes, &moved);
	}
	pthread_mutex_unlock(&copies->lock);
	return moved;
}

/* ---- Rows of atoms ---- */

/* Joins rows that touch each other. */
struct rows {
	u64 offset;
	u64 size;
	gsl_row report;
	void *ctx;
	bool any;
};

static void rows_end(struct rows *rows)
{
	if (rows->size && rows->report)
		rows->report(rows->ctx, rows->offset, rows->size);
	rows->any |= rows->size != 0;
	rows->size = 0;
}

static void rows_add(struct rows *rows, u64 offset, u64 size)
{
	if (rows->size && rows->offset + rows->size != offset)
		rows_end(rows);
	if (!rows->size)
		rows->offset = offset;
	rows->size += size;
}

/* The row of an atom that reaches past the end of the memory ends there. */
static u64 atom_size(const struct gsl_copies *copies, u64 offset)
{
	return copies->size - offset < copies->atom ? copies->size - offset : copies->atom;
}

/* The changed atoms of a piece, into rows and counted. */
static u32 add_changed(const struct gsl_copies *copies, const struct piece *piece,
		       struct rows *rows)
{
	u32 count = 0, start;

	for (start = 0; start < piece->lines.size; start += copies->atom) {
		if (!gs_lines_dirty(&piece->lines, start, copies->atom))
			continue;
		count++;
		rows_add(rows, piece->offset + start, atom_size(copies, piece->offset + start));
	}
	return count;
}

/*
 * Zeros that were stored to a page which was never moved are no change of the copy, but nothing
 * that memory has: the page was written to, and nothing in it changed.
 */
static bool has_first_zeros(const struct gsl_copies *copies, u64 offset)
{
	struct piece whole = look_into(copies, gsl_page_down(copies, offset),
				       atom_up(copies, copies->size));
	u64 atom = whole.offset / copies->atom;
	u32 i;

	for (i = 0; i < whole.lines.size / copies->atom; i++) {
		if (gsl_atom_is_moved(copies, atom + i))
			return false;
	}
	return copies->watched && !gs_lines_dirty(&whole.lines, 0, whole.lines.size);
}

static u32 add_touched(const struct gsl_copies *copies, const struct piece *piece,
		       struct rows *rows)
{
	u32 count = 0, start;

	for (start = 0; start < piece->lines.size; start += copies->atom) {
		u64 offset = piece->offset + start;

		if (!gsl_atom_is_touched(copies, offset / copies->atom))
			continue;
		count++;
		rows_add(rows, offset, atom_size(copies, offset));
	}
	return count;
}

bool gsl_copies_find_changed(struct gsl_copies *copies, u64 offset, u64 size, gsl_row row,
			     void *ctx)
{
	struct rows rows = { .report = row, .ctx = ctx };
	u64 end = atom_up(copies, offset + size);
	struct piece piece;

	pthread_mutex_lock(&copies->lock);
	look_at(copies, offset, offset + size);
	for (offset = skip_unchanged(copies, atom_down(copies, offset), end); offset < end;
	     offset = skip_unchanged(copies, offset + piece.lines.size, end)) {
		u32 count;

		piece = look_into(copies, offset, end);
		count = (has_first_zeros(copies, offset) ? add_touched : add_changed)
			(copies, &piece, &rows);
		if (!count && covers_page(copies, &piece) && !count_touched(copies, &piece))
			copies->changed[offset / copies->page] = 0;
	}
	rows_end(&rows);
	pthread_mutex_unlock(&copies->lock);
	return rows.any;
}

/* ---- From memory ---- */

/* Stores of the host stay, where nothing may be lost. */
static void drop_piece(const struct gsl_copies *copies, struct piece *piece)
{
	if (!is_gentle(copies)) {
		gs_lines_drop(&piece->lines, 0, piece->lines.size);
		return;
	}
	write_back(copies, piece);
	piece->lines.line = copies->grain;
	gs_lines_refill(&piece->lines, 0, piece->lines.size);
}

struct gsl_moved gsl_copies_invalidate(struct gsl_copies *copies, u64 offset, u64 size,
				       gsl_row lost, void *ctx)
{
	struct rows rows = { .report = lost, .ctx = ctx };
	u64 end = atom_up(copies, offset + size);
	struct gsl_moved moved = { 0 };
	struct piece piece;

	pthread_mutex_lock(&copies->lock);
	look_at(copies, offset, offset + size);
	for (offset = atom_down(copies, offset); offset < end; offset += piece.lines.size) {
		piece_open(copies, &piece, offset, end);
		if (copies->changed[offset / copies->page])
			moved.changed += add_changed(copies, &piece, &rows);
		drop_piece(copies, &piece);
		moved.atoms += piece.lines.size / copies->atom;
		set_clean(copies, &piece);
	}
	rows_end(&rows);
	pthread_mutex_unlock(&copies->lock);
	return moved;
}

void gsl_copies_refill(struct gsl_copies *copies, u64 offset, u64 size)
{
	u64 end = atom_up(copies, offset + size), atom;
	struct piece piece;

	pthread_mutex_lock(&copies->lock);
	for (offset = atom_down(copies, offset); offset < end; offset += piece.lines.size) {
		piece_open(copies, &piece, offset, end);
		piece.lines.line = copies->grain;
		gs_lines_refill(&piece.lines, 0, piece.lines.size);
		for (atom = 0; atom < piece.lines.size / copies->atom; atom++)
			set_known(copies, offset / copies->atom + atom);
	}
	pthread_mutex_unlock(&copies->lock);
}

#define SEARCHED	64	/* pages: where a move looks for changed atoms */

/*
 * Any atom; every other time rather one near it in a page that has changed, as in large memories
 * few have. What the kernel was not asked about yet is found by the others alone.
 */
static u64 choose_atom(const struct gsl_copies *copies, struct gs_random *random)
{
	u64 atoms = atom_up(copies, copies->size) / copies->atom;
	u64 atom = gs_random_below(random, atoms < UINT32_MAX ? (u32)atoms : UINT32_MAX);
	u64 page = atom * copies->atom / copies->page, i;
	u64 of_page = copies->page / copies->atom;

	if (gs_random_below(random, 2))
		return atom;
	for (i = 0; i < SEARCHED && (page + i) * copies->page < copies->size; i++) {
		u64 found = (page + i) * of_page + atom % of_page;

		if (copies->changed[page + i] && found < atoms)
			return found;
	}
	return atom;
}

/*
 * A store of the value that was there leaves its atom unchanged, and may not be lost: so only
 * atoms of pages are refilled that nobody wrote to, as far as the kernel tells.
 */
static void move_atom(struct gsl_copies *copies, u64 atom)
{
	u64 offset = atom * copies->atom;
	struct piece piece;

	look_at(copies, offset, offset + 1);
	piece_open(copies, &piece, offset, offset + copies->atom);
	if (gs_lines_dirty(&piece.lines, 0, copies->atom)) {
		gs_lines_clean(&piece.lines, 0, copies->atom);
		piece_write_tail(copies, &piece);
		set_moved(copies, atom);
	} else if (copies->watched && !gsl_atom_is_touched(copies, atom) &&
		   copies->guards[offset / copies->page] == GSL_UNGUARDED) {
		gs_lines_refill(&piece.lines, 0, copies->atom);
	}
}

void gsl_copies_move(struct gsl_copies *copies, struct gs_random *random, u32 atoms)
{
	pthread_mutex_lock(&copies->lock);
	while (atoms--)
		move_atom(copies, choose_atom(copies, random));
	pthread_mutex_unlock(&copies->lock);
}

/* Unlike memory, and not stored to. */
static bool is_stale(const struct gsl_copies *copies, u64 offset, u64 bytes)
{
	return memcmp(copies->mem + offset, copies->base + offset, bytes) &&
	       !memcmp(copies->cache + offset, copies->base + offset, bytes);
}

bool gsl_page_is_old(const struct gsl_copies *copies, u64 start)
{
	u64 end = start + copies->page, offset;

	for (offset = start; offset < end && offset < copies->size; offset += copies->atom) {
		if (gsl_atom_is_touched(copies, offset / copies->atom) ||
		    !is_stale(copies, offset, atom_size(copies, offset)))
			return false;
	}
	return true;
}

bool gsl_copies_find_stale(struct gsl_copies *copies, u64 offset, u64 size, gsl_row row,
			   void *ctx)
{
	struct rows rows = { .report = row, .ctx = ctx };
	u64 end = atom_up(copies, offset + size);

	pthread_mutex_lock(&copies->lock);
	for (offset = atom_down(copies, offset); offset < end; offset += copies->atom) {
		u64 bytes = atom_size(copies, offset);

		if (is_stale(copies, offset, bytes))
			rows_add(&rows, offset, bytes);
	}
	rows_end(&rows);
	pthread_mutex_unlock(&copies->lock);
	return rows.any;
}
