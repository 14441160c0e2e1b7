#include "system/signals.h"

#include <signal.h>
#include <stddef.h>

static bool stays_ignored(int number)
{
	struct sigaction now;

	return (number == SIGHUP || number == SIGINT || number == SIGQUIT) &&
	       sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

void signals_reset(bool all)
{
	struct sigaction usual = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int number = 1; number < NSIG; number++) {
		if (all || !stays_ignored(number))
			(void)sigaction(number, &usual, NULL); /* fails for SIGKILL and SIGSTOP, which nobody may change */
	}
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}
