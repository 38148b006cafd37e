// SPDX-License-Identifier: MIT
#include <errno.h>
#include <linux/sync_file.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <xf86drm.h>

#include "gpu_syncobj.h"

int gpu_syncobj_wait(int fd, uint32_t syncobj, int64_t timeout_ns)
{
	struct timespec now;
	int64_t end;

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec * 1000000000ll + now.tv_nsec + timeout_ns;
	return drmSyncobjWait(fd, &syncobj, 1, end, DRM_SYNCOBJ_WAIT_FLAGS_WAIT_ALL, NULL);
}

int gpu_syncobj_error(int fd, uint32_t syncobj, int *error)
{
	struct sync_file_info info = { 0 };
	int file, ret;

	if (drmSyncobjExportSyncFile(fd, syncobj, &file))
		return -errno;
	ret = drmIoctl(file, SYNC_IOC_FILE_INFO, &info) ? -errno : 0;
	close(file);
	if (ret)
		return ret;
	*error = info.status < 0 ? info.status : 0;
	return 0;
}
