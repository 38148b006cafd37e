// SPDX-License-Identifier: GPL-2.0-only
/* Whose turn it is: which of the queues that have commands to execute does so next. */
#include <linux/cpumask.h>
#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include <drm/drm_print.h>

#include "internal.h"

/**
 * DOC: turns
 *
 * A device has a runner for each CPU: a work item that executes one slice of one queue
 * and queues itself again, for as long as there are queues that want to execute. So
 * however many jobs there are, the CPUs stay usable for others.
 *
 * A runner takes the highest priority at which somebody wants to execute. Within it the
 * turns go round by client, which is an open file, then by the client's groups, and then
 * by the group's queues: who has a thousand endless jobs delays the one job of somebody
 * else by one slice. As fences have to end in finite time, also those of jobs whose
 * betters never stop, now and then a turn begins at another priority.
 *
 * A queue whose job is blocked is parked. It is woken by what may have changed the memory
 * that it waits for (vgpu_device_kick()), and every few milliseconds, because CPU stores
 * wake nobody.
 */

/* Lines about jobs that a device may write to the log in five seconds. */
#define LOG_BURST	100

/* Every so many-th turn begins at another than the highest priority. */
#define FAIR_TURN	16

/* CPU stores wake nobody: blocked jobs look again after this time. */
#define POLL_MS		5

/* A client's place at one priority. */
struct vgpu_client_turn {
	struct list_head node;		/* in &vgpu_turns.clients, if @groups has any */
	struct list_head groups;	/* struct vgpu_group.turn: those with queues that wait */
};

struct vgpu_client {
	struct kref ref;
	struct ratelimit_state log;	/* of lines about the client's jobs */
	atomic64_t engine_ns[VGPU_ENGINES];	/* in which they executed */
	struct vgpu_client_turn turns[VGPU_PRIORITIES];
};

struct runner {
	struct work_struct work;
	struct vgpu_device *vdev;
	struct list_head idle;		/* in &vgpu_turns.idle, or empty */
};

struct vgpu_turns {
	/* Protects the lists, those of clients, groups and queues too. */
	spinlock_t lock;
	struct list_head clients[VGPU_PRIORITIES];	/* struct vgpu_client_turn */
	struct list_head parked;	/* struct vgpu_queue.turn */
	struct list_head idle;		/* struct runner */
	unsigned int given;		/* turns so far */
	struct ratelimit_state log;	/* of lines about all clients' jobs */
	atomic64_t kicks;		/* events after which blocked queues look again */
	struct delayed_work poll;
	struct vgpu_device *vdev;
	unsigned int count;
	struct runner runners[] __counted_by(count);
};

/* ---- Clients ---- */

/**
 * vgpu_client_create() - somebody who takes turns: an open file
 *
 * Context: Process context, may sleep.
 *
 * Return: the client with one reference, or NULL without memory.
 */
struct vgpu_client *vgpu_client_create(void)
{
	struct vgpu_client *client = kzalloc(sizeof(*client), GFP_KERNEL_ACCOUNT);

	if (!client)
		return NULL;
	kref_init(&client->ref);
	ratelimit_default_init(&client->log);
	for (int i = 0; i < VGPU_PRIORITIES; i++) {
		INIT_LIST_HEAD(&client->turns[i].node);
		INIT_LIST_HEAD(&client->turns[i].groups);
	}
	return client;
}
EXPORT_SYMBOL_GPL(vgpu_client_create);

static void client_release(struct kref *ref)
{
	kfree(container_of(ref, struct vgpu_client, ref));
}

/**
 * vgpu_client_put() - drop a reference
 * @client: the client, or NULL; its groups have references of their own
 *
 * Context: Any.
 */
void vgpu_client_put(struct vgpu_client *client)
{
	if (client)
		kref_put(&client->ref, client_release);
}
EXPORT_SYMBOL_GPL(vgpu_client_put);

struct vgpu_client *vgpu_client_get(struct vgpu_client *client)
{
	kref_get(&client->ref);
	return client;
}

void vgpu_client_count(struct vgpu_queue *queue, u64 ns)
{
	const struct vgpu_engine_ops *engine = queue->group->vdev->engine;
	u32 number = min_t(u32, queue->index, VGPU_ENGINES - 1);

	while (number && !engine->names[number])
		number--;
	atomic64_add(ns, &queue->group->client->engine_ns[number]);
}

/**
 * vgpu_client_show() - tell in fdinfo what a client's jobs used
 * @client: the client
 * @vdev: the device
 * @p: where to print to
 *
 * Context: Any that @p allows.
 */
void vgpu_client_show(struct vgpu_client *client, struct vgpu_device *vdev, struct drm_printer *p)
{
	const u32 hz = vdev->engine->hz;

	for (u32 i = 0; i < VGPU_ENGINES && vdev->engine->names[i]; i++) {
		const char *name = vdev->engine->names[i];
		u64 ns = atomic64_read(&client->engine_ns[i]);

		drm_printf(p, "drm-engine-%s:\t%llu ns\n", name, ns);
		drm_printf(p, "drm-cycles-%s:\t%llu\n", name,
			   mul_u64_u32_div(ns, hz, NSEC_PER_SEC));
		drm_printf(p, "drm-maxfreq-%s:\t%u Hz\n", name, hz);
		drm_printf(p, "drm-curfreq-%s:\t%u Hz\n", name, hz);
	}
}
EXPORT_SYMBOL_GPL(vgpu_client_show);

/*
 * A client that floods the log does not silence others; neither does one that opens the
 * device again and again, but for what the device may say at all.
 */
bool vgpu_client_may_log(struct vgpu_device *vdev, struct vgpu_client *client)
{
	return __ratelimit(&client->log) && __ratelimit(&vdev->turns->log);
}

/* ---- Turns, under &vgpu_turns.lock ---- */

/* One more that waits is the last in its list, unless it is there already. */
static void add_last(struct list_head *node, struct list_head *list)
{
	if (list_empty(node))
		list_add_tail(node, list);
}

/* Who had a turn is the last of those who still have something to do. */
static void go_round(struct list_head *node, struct list_head *list, bool done)
{
	if (done)
		list_del_init(node);
	else
		list_move_tail(node, list);
}

static struct vgpu_client_turn *client_turn(const struct vgpu_group *group)
{
	return &group->client->turns[group->priority];
}

static void wake_runner(struct vgpu_turns *turns)
{
	struct runner *runner = list_first_entry_or_null(&turns->idle, struct runner, idle);

	if (!runner)
		return;
	list_del_init(&runner->idle);
	queue_work(turns->vdev->run_wq, &runner->work);
}

static void add_queue(struct vgpu_turns *turns, struct vgpu_queue *queue)
{
	struct vgpu_group *group = queue->group;
	struct vgpu_client_turn *client = client_turn(group);

	list_add_tail(&queue->turn, &group->ready);
	add_last(&group->turn, &client->groups);
	add_last(&client->node, &turns->clients[group->priority]);
	queue->wants_turn = true;
	wake_runner(turns);
}

/* Neither waits for a turn nor is parked any more. */
static void remove_queue(struct vgpu_turns *turns, struct vgpu_queue *queue)
{
	struct vgpu_group *group = queue->group;
	struct vgpu_client_turn *client = client_turn(group);

	list_del_init(&queue->turn);
	if (queue->wants_turn && list_empty(&group->ready)) {
		list_del_init(&group->turn);
		if (list_empty(&client->groups))
			list_del_init(&client->node);
	}
	queue->wants_turn = false;
}

static void unpark(struct vgpu_turns *turns, struct vgpu_queue *queue)
{
	list_del_init(&queue->turn);
	add_queue(turns, queue);
}

static struct list_head *first_clients(struct vgpu_turns *turns)
{
	unsigned int first = VGPU_PRIORITIES - 1;

	if (!(++turns->given % FAIR_TURN))
		first = turns->given / FAIR_TURN % VGPU_PRIORITIES;
	for (int i = 0; i < VGPU_PRIORITIES; i++) {
		unsigned int priority = (first + VGPU_PRIORITIES - i) % VGPU_PRIORITIES;

		if (!list_empty(&turns->clients[priority]))
			return &turns->clients[priority];
	}
	return NULL;
}

static struct vgpu_queue *take_queue(struct vgpu_turns *turns)
{
	struct list_head *clients = first_clients(turns);
	struct vgpu_client_turn *client;
	struct vgpu_queue *queue;
	struct vgpu_group *group;

	if (!clients)
		return NULL;
	client = list_first_entry(clients, struct vgpu_client_turn, node);
	group = list_first_entry(&client->groups, struct vgpu_group, turn);
	queue = list_first_entry(&group->ready, struct vgpu_queue, turn);
	list_del_init(&queue->turn);
	queue->wants_turn = false;
	queue->has_turn = true;
	queue->again = false;
	go_round(&group->turn, &client->groups, list_empty(&group->ready));
	go_round(&client->node, clients, list_empty(&client->groups));
	return queue;
}

static void park(struct vgpu_turns *turns, struct vgpu_queue *queue, s64 kicks)
{
	list_add_tail(&queue->turn, &turns->parked);
	/* Pairs with vgpu_device_kick(): one of both sees the other. */
	smp_mb();
	if (atomic64_read(&turns->kicks) != kicks)
		unpark(turns, queue);
	else
		queue_delayed_work(turns->vdev->sched_wq, &turns->poll, msecs_to_jiffies(POLL_MS));
}

/* ---- Runners ---- */

static struct vgpu_queue *begin_turn(struct vgpu_turns *turns, struct runner *runner)
{
	struct vgpu_queue *queue;

	spin_lock(&turns->lock);
	queue = take_queue(turns);
	if (!queue)
		list_add(&runner->idle, &turns->idle);
	spin_unlock(&turns->lock);
	return queue;
}

/* Behind this the queue may be gone. */
static void end_turn(struct vgpu_turns *turns, struct vgpu_queue *queue,
		     enum vgpu_after_slice after, s64 kicks)
{
	spin_lock(&turns->lock);
	queue->has_turn = false;
	if (queue->again || after == VGPU_QUEUE_READY)
		add_queue(turns, queue);
	else if (after == VGPU_QUEUE_BLOCKED)
		park(turns, queue, kicks);
	spin_unlock(&turns->lock);
}

static void run_work(struct work_struct *work)
{
	struct runner *runner = container_of(work, struct runner, work);
	struct vgpu_device *vdev = runner->vdev;
	struct vgpu_turns *turns = vdev->turns;
	struct vgpu_queue *queue = begin_turn(turns, runner);
	enum vgpu_after_slice after;
	bool cookie;
	s64 kicks;

	if (!queue)
		return;
	kicks = atomic64_read(&turns->kicks);
	cookie = dma_fence_begin_signalling();
	after = vgpu_queue_run(queue);
	end_turn(turns, queue, after, kicks);
	dma_fence_end_signalling(cookie);
	queue_work(vdev->run_wq, &runner->work);
}

/* Let a queue execute soon, whatever was planned. Process context; may be where fences end. */
void vgpu_queue_wake(struct vgpu_queue *queue)
{
	struct vgpu_turns *turns = queue->group->vdev->turns;

	spin_lock(&turns->lock);
	if (queue->has_turn)
		queue->again = true;
	else if (list_empty(&queue->turn))
		add_queue(turns, queue);
	else if (!queue->wants_turn)
		unpark(turns, queue);
	spin_unlock(&turns->lock);
}

/**
 * vgpu_device_kick() - make blocked queues look at memory again
 * @vdev: the device
 *
 * To be called after anything that may have changed what the device sees.
 *
 * Context: Process context. Allocates nothing; may be called where fences are
 * signalled.
 */
void vgpu_device_kick(struct vgpu_device *vdev)
{
	struct vgpu_turns *turns = vdev->turns;
	struct vgpu_queue *queue, *next;

	atomic64_inc(&turns->kicks);
	/* A queue parks first and then looks at the count: one of both sees the other. */
	smp_mb__after_atomic();
	if (list_empty(&turns->parked))
		return;
	spin_lock(&turns->lock);
	list_for_each_entry_safe(queue, next, &turns->parked, turn)
		unpark(turns, queue);
	spin_unlock(&turns->lock);
}
EXPORT_SYMBOL_GPL(vgpu_device_kick);

static void poll_work(struct work_struct *work)
{
	struct vgpu_turns *turns = container_of(to_delayed_work(work), struct vgpu_turns, poll);
	bool cookie = dma_fence_begin_signalling();

	vgpu_device_kick(turns->vdev);
	dma_fence_end_signalling(cookie);
}

/* On return no slice is under way that began before. Not from a slice. */
void vgpu_turns_flush(struct vgpu_device *vdev)
{
	for (unsigned int i = 0; i < vdev->turns->count; i++)
		flush_work(&vdev->turns->runners[i].work);
}

/* On return the queue does not execute, and nobody knows it who would let it. */
void vgpu_queue_stop(struct vgpu_queue *queue)
{
	struct vgpu_device *vdev = queue->group->vdev;
	struct vgpu_turns *turns = vdev->turns;
	bool has_turn;

	do {
		spin_lock(&turns->lock);
		remove_queue(turns, queue);
		queue->again = false;
		has_turn = queue->has_turn;
		spin_unlock(&turns->lock);
		if (has_turn)
			vgpu_turns_flush(vdev);
	} while (has_turn);
}

/* 0 or -ENOMEM. */
int vgpu_turns_init(struct vgpu_device *vdev)
{
	unsigned int count = num_online_cpus();
	struct vgpu_turns *turns;

	turns = kzalloc(struct_size(turns, runners, count), GFP_KERNEL);
	if (!turns)
		return -ENOMEM;
	spin_lock_init(&turns->lock);
	for (int i = 0; i < VGPU_PRIORITIES; i++)
		INIT_LIST_HEAD(&turns->clients[i]);
	/* Some ten clients' worth. */
	ratelimit_state_init(&turns->log, DEFAULT_RATELIMIT_INTERVAL, LOG_BURST);
	INIT_LIST_HEAD(&turns->parked);
	INIT_LIST_HEAD(&turns->idle);
	INIT_DELAYED_WORK(&turns->poll, poll_work);
	turns->vdev = vdev;
	turns->count = count;
	for (unsigned int i = 0; i < count; i++) {
		struct runner *runner = &turns->runners[i];

		runner->vdev = vdev;
		INIT_WORK(&runner->work, run_work);
		list_add(&runner->idle, &turns->idle);
	}
	vdev->turns = turns;
	return 0;
}

/* There are no queues any more. */
void vgpu_turns_fini(struct vgpu_device *vdev)
{
	struct vgpu_turns *turns = vdev->turns;

	cancel_delayed_work_sync(&turns->poll);
	for (unsigned int i = 0; i < turns->count; i++)
		cancel_work_sync(&turns->runners[i].work);
	kfree(turns);
}
