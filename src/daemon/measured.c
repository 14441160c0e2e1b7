#include "daemon/measured.h"

#include "loop/clock.h"

void measured_load(struct meters *meters, bool good)
{
	counter_add(good ? &meters->loads_good : &meters->loads_bad, 1);
	gauge_set(&meters->load_failed, !good);
	if (good)
		gauge_set(&meters->loaded_ms, clock_wall_ms());
}

void measured_stand(struct meters *meters, const struct council *council)
{
	gauge_set(&meters->acts, council_term(council) != 0);
	gauge_set(&meters->term, council_term(council));
	gauge_set(&meters->etcd_away, council_is_stuck(council));
	gauge_set(&meters->has_others, 1);
}

void measured_beat(struct meters *meters, const struct hosts *hosts)
{
	gauge_set(&meters->script_bytes, (int64_t)hosts_memory(hosts));
}
