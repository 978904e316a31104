"""Drives Eclipse Paho clients for the tests: one JSON command per line on stdin, one JSON answer or event per line on stdout."""

import base64
import json
import socket
import sys
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

output = threading.Lock()


def say(**what):
    with output:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()


def number(code):
    return getattr(code, "value", code)


class Exchanges:
    """Answers a command once Paho reports the end of its exchange, which may come before the command knows its identifier."""

    def __init__(self):
        self.lock = threading.Lock()
        self.waiting = {}
        self.ended = {}

    def begin(self, identifier, command):
        with self.lock:
            if identifier not in self.ended:
                self.waiting[identifier] = command
                return
            result = self.ended.pop(identifier)
        say(id=command, result=result)

    def end(self, identifier, result):
        with self.lock:
            if identifier not in self.waiting:
                self.ended[identifier] = result
                return
            command = self.waiting.pop(identifier)
        say(id=command, result=result)


class Client:
    def __init__(self, command):
        self.name = command["client"]
        self.version = command["protocolVersion"]
        self.connecting = command["id"]
        self.exchanges = Exchanges()
        options = {
            "client_id": command["clientId"],
            "protocol": self.version,
            "transport": "tcp" if command["transport"] == "tcp" else "websockets",
            "reconnect_on_failure": False,
        }
        if self.version != mqtt.MQTTv5:
            options["clean_session"] = command["cleanStart"]
        if hasattr(mqtt, "CallbackAPIVersion"):
            options["callback_api_version"] = mqtt.CallbackAPIVersion.VERSION1
        self.paho = paho = mqtt.Client(**options)
        if command["transport"] != "tcp":
            paho.ws_set_options(path="/mqtt")
        paho.on_connect = self.on_connect
        paho.on_disconnect = self.on_disconnect
        paho.on_message = self.on_message
        paho.on_publish = lambda paho, userdata, identifier: self.exchanges.end(identifier, None)
        paho.on_subscribe = self.on_subscribe
        paho.on_unsubscribe = lambda paho, userdata, identifier, *rest: self.exchanges.end(identifier, None)
        will = command.get("will")
        if will is not None:
            paho.will_set(will["topicName"], base64.b64decode(will["payload"]), will["qos"], will["retain"])
        more = {}
        if self.version == mqtt.MQTTv5:
            more["clean_start"] = command["cleanStart"]
            more["properties"] = Properties(PacketTypes.CONNECT)
            more["properties"].SessionExpiryInterval = command["sessionExpirySeconds"]
        paho.connect("127.0.0.1", command["port"], 60, **more)
        paho.loop_start()

    def on_connect(self, paho, userdata, flags, code, *rest):
        if number(code) == 0:
            say(id=self.connecting, result=bool(flags["session present"]))
        else:
            say(id=self.connecting, error=str(code))

    def on_disconnect(self, paho, userdata, code, *rest):
        told = number(code) if hasattr(code, "value") else None
        say(event="closed", client=self.name, reasonCode=told)

    def on_message(self, paho, userdata, message):
        properties = {"userProperties": [], "subscriptionIdentifiers": []}
        if self.version == mqtt.MQTTv5 and message.properties is not None:
            given = message.properties
            properties["userProperties"] = getattr(given, "UserProperty", [])
            properties["subscriptionIdentifiers"] = getattr(given, "SubscriptionIdentifier", [])
            properties["contentType"] = getattr(given, "ContentType", None)
            properties["responseTopic"] = getattr(given, "ResponseTopic", None)
            properties["messageExpiryInterval"] = getattr(given, "MessageExpiryInterval", None)
            if hasattr(given, "CorrelationData"):
                properties["correlationData"] = base64.b64encode(given.CorrelationData).decode()
        say(
            event="message",
            client=self.name,
            topicName=message.topic,
            payload=base64.b64encode(message.payload).decode(),
            qos=message.qos,
            retain=bool(message.retain),
            properties=properties,
        )

    def on_subscribe(self, paho, userdata, identifier, granted, *rest):
        self.exchanges.end(identifier, number(granted[0]))

    def publish(self, command):
        properties = None
        if self.version == mqtt.MQTTv5:
            given = command["properties"]
            properties = Properties(PacketTypes.PUBLISH)
            properties.UserProperty = [tuple(pair) for pair in given["userProperties"]]
            if given.get("contentType") is not None:
                properties.ContentType = given["contentType"]
            if given.get("responseTopic") is not None:
                properties.ResponseTopic = given["responseTopic"]
            if given.get("messageExpiryInterval") is not None:
                properties.MessageExpiryInterval = given["messageExpiryInterval"]
            if given.get("correlationData") is not None:
                properties.CorrelationData = base64.b64decode(given["correlationData"])
        payload = base64.b64decode(command["payload"])
        published = self.paho.publish(command["topicName"], payload, command["qos"], command["retain"], properties)
        self.exchanges.begin(published.mid, command["id"])

    def subscribe(self, command):
        if self.version == mqtt.MQTTv5:
            properties = None
            if command["subscriptionIdentifier"] > 0:
                properties = Properties(PacketTypes.SUBSCRIBE)
                properties.SubscriptionIdentifier = command["subscriptionIdentifier"]
            options = SubscribeOptions(qos=command["qos"])
            _, identifier = self.paho.subscribe(command["topicFilter"], options=options, properties=properties)
        else:
            _, identifier = self.paho.subscribe(command["topicFilter"], command["qos"])
        self.exchanges.begin(identifier, command["id"])

    def unsubscribe(self, command):
        _, identifier = self.paho.unsubscribe(command["topicFilter"])
        self.exchanges.begin(identifier, command["id"])

    def disconnect(self, command):
        self.paho.disconnect()
        say(id=command["id"], result=None)

    def kill(self, command):
        connected = self.paho.socket()
        # A WebSocket is an object around the socket.
        getattr(connected, "_socket", connected).shutdown(socket.SHUT_RDWR)
        say(id=command["id"], result=None)


clients = {}
for line in sys.stdin:
    command = json.loads(line)
    try:
        if command["do"] == "connect":
            clients[command["client"]] = Client(command)
        else:
            getattr(clients[command["client"]], command["do"])(command)
    except Exception as problem:
        say(id=command["id"], error=repr(problem))
