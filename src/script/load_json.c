/* Writes what the control socket shows of a load. */
#include "script/load.h"

static const char *state_name(enum load_state state)
{
	switch (state) {
	case LOAD_RUNS:
		return "runs";
	case LOAD_SILENT:
		return "gives no sign";
	case LOAD_MAKES:
		return "is made again";
	case LOAD_DROPS:
	case LOAD_LACKS:
		break;
	}
	return "drops";
}

static void add_not_called(const struct load *load, struct json *json)
{
	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS; kind++) {
		const struct config_trigger *trigger = &load->config->triggers[kind];

		for (size_t i = 0; i < trigger->count; i++) {
			const struct config_action *action = &trigger->actions[i];

			if (action->argv != NULL || load->holds[action->function] < LOAD_HOLDS)
				continue;
			jsonw_begin_object(json);
			jsonw_key(json, "trigger");
			jsonw_string(json, action->path);
			jsonw_key(json, "source");
			jsonw_string(json, action->source);
			jsonw_end_object(json);
		}
	}
}

void load_render(const struct load *load, struct json *json)
{
	jsonw_key(json, "state");
	jsonw_string(json, state_name(load->state));
	jsonw_key(json, "why");
	jsonw_string(json, load->state == LOAD_DROPS	? "too many script hosts are left behind"
			   : load->state == LOAD_LACKS ? load->lack
						       : NULL);
	jsonw_key(json, "made_again");
	jsonw_int(json, load->made_again);
	jsonw_key(json, "not_called");
	jsonw_begin_array(json);
	add_not_called(load, json);
	jsonw_end_array(json);
}
