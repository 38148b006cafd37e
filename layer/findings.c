// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "findings.h"

#define MAX_LISTED	256	/* of a kind, in the log; more are only counted */

/* A finding that was told, and how often it was seen. */
struct gsl_known {
	struct gsl_finding finding;
	u64 count;
};

void gsl_batch_add(struct gsl_batch *batch, const struct gsl_finding *finding)
{
	if (batch->count == batch->space) {
		size_t space = batch->space ? 2 * batch->space : 8;
		void *items = realloc(batch->items, space * sizeof(*batch->items));

		if (!items)
			return;
		batch->items = items;
		batch->space = space;
	}
	batch->items[batch->count++] = *finding;
}

void gsl_findings_init(struct gsl_findings *findings, const struct gsl_settings *settings)
{
	*findings = (struct gsl_findings){ .settings = settings };
	pthread_mutex_init(&findings->lock, NULL);
	if (!settings->log[0])
		return;
	findings->log = fopen(settings->log, "ae");
	if (!findings->log) {
		fprintf(stderr, "gemsync: cannot write the log %s\n", settings->log);
		return;
	}
	/* Who reads it knows by this that an instance was made, and whether as it was asked for. */
	fprintf(findings->log, "{\"layer\":\"VK_LAYER_GEMSYNC_noncoherent\",\"ignored\":%d}\n",
		settings->ignored);
	fflush(findings->log);
}

/* ---- What is new ---- */

/* What is bound there tells places apart; where nothing is known to be, the memory does. */
static const struct gsl_object *subject(const struct gsl_finding *finding)
{
	return finding->resource.type ? &finding->resource : &finding->memory;
}

/* Objects that are made anew for each frame keep their name, or nothing. */
static bool is_same_object(const struct gsl_object *a, const struct gsl_object *b)
{
	if (a->name[0] || b->name[0])
		return !strcmp(a->name, b->name);
	return a->handle == b->handle;
}

static struct gsl_known *find_known(struct gsl_findings *findings,
				    const struct gsl_finding *finding)
{
	size_t i;

	for (i = 0; i < findings->count; i++) {
		const struct gsl_finding *known = &findings->known[i].finding;

		/* Why memory is left alone is told once, whichever it is. */
		if (known->kind == finding->kind && known->possibly == finding->possibly &&
		    (finding->kind == GSL_LEFT_ALONE ||
		     is_same_object(subject(known), subject(finding))) &&
		    !strcmp(known->detail, finding->detail))
			return &findings->known[i];
	}
	return NULL;
}

/* True if it is new, and to be told. */
static bool remember(struct gsl_findings *findings, const struct gsl_finding *finding)
{
	struct gsl_known *known = find_known(findings, finding);

	if (known) {
		known->count++;
		return false;
	}
	if (findings->listed[finding->kind] == MAX_LISTED) {
		findings->more[finding->kind]++;
		return false;
	}
	findings->listed[finding->kind]++;
	if (findings->count == findings->space) {
		size_t space = findings->space ? 2 * findings->space : 16;
		void *grown = realloc(findings->known, space * sizeof(*findings->known));

		if (!grown)
			return true;
		findings->known = grown;
		findings->space = space;
	}
	findings->known[findings->count++] = (struct gsl_known){ *finding, 1 };
	return true;
}

/* ---- The log: a line of JSON for each ---- */

/* Bytes of a character of UTF-8; 0: it is none, as names may be cut anywhere, or be anything. */
static int character_length(const char *text)
{
	unsigned char first = (unsigned char)*text;
	int length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 :
		     first < 0xf5 ? 4 : 0;
	int i;

	for (i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	}
	return length;
}

static void write_string(FILE *file, const char *text)
{
	fputc('"', file);
	while (*text) {
		int length = character_length(text);

		if (!length)
			fputc('?', file);
		else if (*text == '"' || *text == '\\')
			fprintf(file, "\\%c", *text);
		else if ((unsigned char)*text < ' ')
			fprintf(file, "\\u%04x", *text);
		else
			fwrite(text, 1, (size_t)length, file);
		text += length ? length : 1;
	}
	fputc('"', file);
}

static void write_object(FILE *file, const char *key, const struct gsl_object *object)
{
	if (!object->type)
		return;
	fprintf(file, ",\"%s\":{\"handle\":\"0x%" PRIx64 "\",\"name\":", key, object->handle);
	write_string(file, object->name);
	fputc('}', file);
}

static void write_log(FILE *file, const struct gsl_finding *finding, const char *text)
{
	fprintf(file, "{\"kind\":\"%s\",\"sure\":\"%s\",\"offset\":%" PRIu64 ",\"size\":%" PRIu64
		",\"bytes\":%" PRIu64, gsl_kind_name(finding->kind),
		finding->possibly ? "possibly" : "certainly", finding->offset, finding->size,
		finding->bytes);
	write_object(file, "memory", &finding->memory);
	write_object(file, "resource", &finding->resource);
	if (finding->resource.type)
		fprintf(file, ",\"resource_offset\":%" PRIu64, finding->resource_offset);
	write_object(file, "queue", &finding->queue);
	if (finding->submission)
		fprintf(file, ",\"submission\":%" PRIu64, finding->submission);
	if (finding->call)
		fprintf(file, ",\"call\":\"%s\"", finding->call);
	fputs(",\"text\":", file);
	write_string(file, text);
	fputs("}\n", file);
	fflush(file);
}

/* ---- Telling ---- */

static bool may_tell(struct gsl_findings *findings, int kind)
{
	bool may;

	pthread_mutex_lock(&findings->lock);
	may = findings->told[kind] < (u32)findings->settings->limit;
	findings->told[kind] += may;
	pthread_mutex_unlock(&findings->lock);
	return may;
}

static void tell(struct gsl_findings *findings, const struct gsl_finding *finding)
{
	char text[1024];
	bool told = false, new;

	gsl_finding_text(finding, text, sizeof(text));
	/* The log's lines are in the order in which they are remembered: others count by it. */
	pthread_mutex_lock(&findings->lock);
	new = remember(findings, finding);
	if (new && findings->log)
		write_log(findings->log, finding, text);
	pthread_mutex_unlock(&findings->lock);
	if (!new || findings->settings->messages == GSL_MESSAGES_NONE ||
	    !may_tell(findings, finding->kind))
		return;
	if (findings->settings->messages == GSL_MESSAGES_AUTO && findings->tell)
		told = findings->tell(findings->ctx, finding, text);
	if (!told)
		fprintf(stderr, "gemsync: %s: %s\n", gsl_kind_name(finding->kind), text);
}

void gsl_findings_tell(struct gsl_findings *findings, struct gsl_batch *batch)
{
	size_t i;

	for (i = 0; i < batch->count; i++)
		tell(findings, &batch->items[i]);
	free(batch->items);
	*batch = (struct gsl_batch){ 0 };
}

static void tell_counts(struct gsl_findings *findings)
{
	size_t i;
	int kind;

	for (i = 0; i < findings->count; i++) {
		const struct gsl_known *known = &findings->known[i];

		if (known->count == 1 || !findings->log)
			continue;
		fprintf(findings->log, "{\"kind\":\"%s\",\"again\":%zu,\"count\":%" PRIu64 "}\n",
			gsl_kind_name(known->finding.kind), i, known->count);
	}
	for (kind = 0; kind < GSL_KINDS; kind++) {
		if (findings->more[kind] && findings->log)
			fprintf(findings->log, "{\"kind\":\"%s\",\"more\":%" PRIu64 "}\n",
				gsl_kind_name(kind), findings->more[kind]);
	}
}

void gsl_findings_fini(struct gsl_findings *findings)
{
	tell_counts(findings);
	if (findings->log)
		fclose(findings->log);
	free(findings->known);
	pthread_mutex_destroy(&findings->lock);
}
