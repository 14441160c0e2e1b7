#include "system/descriptors.h"

static struct {
	bool raised;
	struct rlimit before;
} descriptors;

void descriptors_raise(void)
{
	struct rlimit more;

	if (descriptors.raised || getrlimit(RLIMIT_NOFILE, &descriptors.before) != 0)
		return;
	more = descriptors.before;
	more.rlim_cur = more.rlim_max;
	descriptors.raised = setrlimit(RLIMIT_NOFILE, &more) == 0;
}

bool descriptors_of_children(struct rlimit *limit)
{
	*limit = descriptors.before;
	return descriptors.raised;
}

size_t descriptors_limit(void)
{
	struct rlimit now;

	if (getrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur == RLIM_INFINITY)
		return (size_t)1 << 20;
	return (size_t)now.rlim_cur;
}
