package instrument

import "treq/telemetry"

// callName is what a call to a model says that decides which series it is measured on.
type callName struct {
	operation, provider, request, model, errorType, service string
	failed                                                  bool
}

// call is a kind of call with its series: services make the same few kinds of calls
// again and again, and each is measured on a dozen series, which need not be looked for
// each time.
type call struct {
	name                                                           callName
	operation, provider, request, response, family, service, error uint16

	// The series, nil until they were measured on. Those that others fold into stay
	// nil: what folds is folded, and counted, at each measurement.
	duration, inputs, outputs, unpriced, sideTokens *series
	tokens                                          [6]*series
	cost                                            [2]*series
}

// call gives the kind of a call, whose operation is told apart. It is good until the
// next is asked for.
func (in *Instruments) call(c *telemetry.ModelCall, operation string) *call {
	name := callName{
		operation: operation, provider: c.Provider, request: c.RequestModel, model: c.Model(),
		service: c.Service, failed: c.Outcome == telemetry.Failed,
	}
	if name.failed {
		name.errorType = c.ErrorType
	}
	at := len(name.service) + 3*len(name.provider) + 5*len(operation) + 7*len(name.errorType)
	if n := len(name.model); n > 0 {
		at += n + int(name.model[n/2]) + int(name.model[n-1])
	}
	k := &in.calls[at%len(in.calls)]
	if k.service != absent && k.name == name {
		return k
	}
	*k = call{
		name:      name,
		operation: in.id(in.operation, operation),
		provider:  in.id(in.provider, c.Provider),
		request:   in.id(in.requestModel, c.RequestModel),
		response:  in.id(in.responseModel, name.model),
		service:   in.serviceID(c.Service),
	}
	k.family = in.familyID(name.model, k.response)
	k.error = in.errorID(c.Outcome, c.ErrorType)
	known := in.operation.own(k.operation, &k.name.operation) && in.provider.own(k.provider, &k.name.provider) &&
		in.requestModel.own(k.request, &k.name.request) && in.responseModel.own(k.response, &k.name.model) &&
		in.service.own(k.service, &k.name.service) && in.errorType.own(k.error, &k.name.errorType)
	if !known {
		// It is not found again: values that fold are counted each time.
		in.unfound = *k
		*k = call{}
		return &in.unfound
	}
	return k
}

// own puts the value of an id in the place of an equal text, which may be a part of a
// large buffer; false if the text is not equal, or folded.
func (v *values) own(id uint16, raw *string) bool {
	if *raw == "" {
		return true
	}
	if id == otherID || v.names[id] != *raw {
		return false
	}
	*raw = v.names[id]
	return true
}

// bound gives the series of a key, from its place in a call where it was found before.
func (s *seriesSet) bound(place **series, key seriesKey) *series {
	if *place != nil {
		return *place
	}
	found := s.at(key)
	if s.known.get(key) == found {
		*place = found
	}
	return found
}
