#include "core/observation.h"

void observation_clear_beat(struct beat_result *result)
{
	result->state = BEAT_NONE;
	result->tstamp = 0;
	result->replaced = false;
	result->before.master[0] = '\0';
	result->before.tstamp = 0;
	result->reason = REASON_NONE;
	result->message[0] = '\0';
}

void observation_clear(struct observation *seen)
{
	seen->kind = OBSERVED_NOTHING;
	seen->server_version = 0;
	seen->row_state = ROW_NONE;
	seen->row.master[0] = '\0';
	seen->row.tstamp = 0;
	observation_clear_beat(&seen->beat);
	seen->reason = REASON_NONE;
	seen->message[0] = '\0';
	seen->path = false;
	seen->harmless = false;
	seen->going = false;
	seen->kept = false;
	seen->kept_ended_ms = INT64_MIN;
	seen->door.reason = REASON_NONE;
	seen->door.attempts = 0;
	seen->door.path = false;
	seen->door.message[0] = '\0';
	seen->origin = (struct origin){ 0 };
	seen->asked_ms = 0;
}
