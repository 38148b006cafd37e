// SPDX-License-Identifier: GPL-2.0-only
/* Whether a VMA is copied on write can be asked of the VMA. */
#include <linux/mm.h>

bool probe(const struct vm_area_struct *vma);
bool probe(const struct vm_area_struct *vma)
{
	return vma_is_cow_mapping(vma);
}
