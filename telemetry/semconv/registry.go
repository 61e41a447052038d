package semconv

// Attributes that every kind of span may carry.
const (
	ServiceName         = "service.name"
	ErrorType           = "error.type"
	ExceptionType       = "exception.type"
	ExceptionMessage    = "exception.message"
	ExceptionStacktrace = "exception.stacktrace"
	HTTPStatusCode      = "http.response.status_code"
	HTTPStatusCodeOld   = "http.status_code"
	HTTPRoute           = "http.route"
	HTTPTarget          = "http.target"
	HTTPScheme          = "http.scheme"
	HTTPURL             = "http.url"
	URLScheme           = "url.scheme"
	URLPath             = "url.path"
	URLFull             = "url.full"
	NetworkProtocolName = "network.protocol.name"
	UserID              = "user.id"
	EndUserID           = "enduser.id"
	EventName           = "event.name"
)
