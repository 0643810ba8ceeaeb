package main

import (
	"time"
	_ "time/tzdata" // zones are linked in: there is no disk

	"github.com/robfig/cron/v3"
)

const maxTimes = 100_000

type cronArgs struct {
	Schedule string `msgpack:"schedule"`
	Timezone string `msgpack:"timezone"`
	After    int64  `msgpack:"after"`
	Until    int64  `msgpack:"until"`
	Count    int    `msgpack:"count"`
	Seconds  bool   `msgpack:"seconds"`
}

func init() {
	on("cron.next", func(a *cronArgs, _ *files) (any, error) { return next(a) })
}

// next are the schedule's times after a moment, in seconds since 1970; fewer when the next one is too far or after until.
func next(a *cronArgs) ([]int64, error) {
	zone, err := time.LoadLocation(a.Timezone)
	if err != nil || a.Timezone == "Local" {
		return nil, failed("TimezoneInvalid", "%.100q is no time zone: write it as Europe/Berlin", a.Timezone)
	}
	fields := cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor
	if a.Seconds {
		fields |= cron.SecondOptional
	}
	schedule, err := cron.NewParser(fields).Parse(a.Schedule)
	if err != nil {
		return nil, failed("ScheduleInvalid", "%.200q is no cron schedule: %v", a.Schedule, err)
	}
	found := []int64{}
	for at := time.Unix(a.After, 0).In(zone); len(found) < min(a.Count, maxTimes); {
		at = schedule.Next(at)
		if at.IsZero() || (a.Until != 0 && at.Unix() > a.Until) {
			break
		}
		found = append(found, at.Unix())
	}
	return found, nil
}
